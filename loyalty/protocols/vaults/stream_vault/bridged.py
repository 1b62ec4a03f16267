"""A vault whose shares move between chains: rounds and prices on one chain, plain shares on the others.

A bridge burns shares here and mints them there. The holders on another chain are those of its last block with a
timestamp up to the roll (holders.shares_at). Shares in flight at that moment belong to nobody.
"""

from collections.abc import Mapping
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.times import time_text
from loyalty.protocols.vaults.holders import SharesAt
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart


class GroupStart(NamedTuple):
    """A round's start over all chains: `shares` by ascending address, an address being one holder on all of them.

    `in_flight_shares` had been burned on one chain and not yet been minted on another. `unclaimed_shares` are those of
    the group's own contracts: nobody's.
    """

    start: RoundStart
    shares: dict[Address, int]
    in_flight_shares: int
    unclaimed_shares: int


def join_chains(start: RoundStart, others: Mapping[int, SharesAt]) -> GroupStart:
    """The holders over all chains at `start`; `others` by chain id, all as of start.time.

    More shares on the other chains than left the round chain is Inconsistent: a Transfer is missing somewhere, or a
    chain's clock runs so far behind that a mint seems older than its burn.
    """
    for chain, other in others.items():
        if other.time != start.time:
            raise Invalid(f"chain {chain}: holders as of {time_text(other.time)}, wanted as of {time_text(start.time)}")
    in_flight = start.bridged_shares - sum(other.supply for other in others.values())
    if in_flight < 0:
        raise Inconsistent(
            f"vault {start.vault}, block {start.block}, log {start.log_index}: {start.bridged_shares} shares had left "
            f"its chain by bridge at {time_text(start.time)}, and the other chains ({', '.join(map(str, others))}) "
            f"hold {start.bridged_shares - in_flight}: a Transfer is missing on one of them, or a chain's clock runs "
            "behind"
        )
    summed: dict[Address, int] = {}
    for shares in (start.shares, *(other.shares for other in others.values())):
        for account, units in shares.items():
            summed[account] = summed.get(account, 0) + units
    contracts = {start.vault, *(other.token for other in others.values())}
    held = {account: units for account, units in sorted(summed.items()) if account not in contracts}
    supply = sum(other.supply for other in others.values()) + sum(start.shares.values()) + start.unclaimed_shares
    return GroupStart(start, held, in_flight, supply - sum(held.values()))
