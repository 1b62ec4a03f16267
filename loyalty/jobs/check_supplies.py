"""Check supplies: what the stored Transfers of each share token add up to, against what its contract says exists.

Whoever held shares before the first indexed block and never moved is missing from every balance, and no log contradicts
that. The supply does.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.core.address import Address, checksum
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.times import HOUR_SECONDS
from loyalty.jobs.followers.shares import KIND as SHARES
from loyalty.protocols.abi import unsigned_word
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.erc4626.contract import TOTAL_SUPPLY, decode_units
from loyalty.state import cursors, followed_contracts, followed_tokens, share_pools, token_transfers, vaults
from loyalty.state.engine import State

_BALANCE_OF_NOBODY = bytes.fromhex("70a08231") + unsigned_word(0)
"""balanceOf(address) of the zero address."""


class ShareToken(NamedTuple):
    """A token whose every transfer is stored below `next_block`, and for whom it is followed."""

    token: Address
    token_id: int
    next_block: int
    place: str


@dataclass(slots=True)
class _Folded:
    """The token's transfers of final blocks below `next_block`; `checked_time` is the chain's, of the last check."""

    ledger: ShareLedger
    next_block: int = 0
    checked_time: int | None = None
    fault: str | None = None


class SupplyChecker:
    """Checks one chain's share tokens, each once an hour of the chain's time, at the newest final block."""

    def __init__(self, state: State, chain: Chain) -> None:
        self._state = state
        self._chain = chain
        self._folded: dict[Address, _Folded] = {}

    async def turn(self) -> int:
        """How many tokens were found right. Raises Inconsistent for those that are not, until they are."""
        final = await self._chain.finalized()
        if final is None or self._chain.recording_facts() is not None:
            return 0
        with self._state.read() as connection:
            due = [each for each in share_tokens(connection, self._chain.id) if self._is_due(each, final)]
            for each in due:
                self._fold(connection, each, final.number + 1)
        right = [each for each in due if await self._check(each, final)]
        faults = [folded.fault for folded in self._folded.values() if folded.fault is not None]
        if faults:
            raise Inconsistent("; ".join(faults))
        return len(right)

    def _is_due(self, each: ShareToken, final: Header) -> bool:
        """Once everything up to the final block is stored."""
        folded = self._folded.get(each.token)
        if each.next_block <= final.number:
            return False
        return folded is None or folded.checked_time is None or final.time >= folded.checked_time + HOUR_SECONDS

    def _fold(self, connection: Connection, each: ShareToken, end: int) -> None:
        folded = self._folded.setdefault(each.token, _Folded(ShareLedger(each.token)))
        ledger = folded.ledger.copy()  # one that raises is of no further use
        for transfer in token_transfers.of_tokens(
            connection, [each.token_id], from_block=folded.next_block, before_block=end
        ):
            ledger.apply(transfer)
        folded.ledger, folded.next_block = ledger, end

    async def _check(self, each: ShareToken, final: Header) -> bool:
        """Whether the numbers agree; a block whose state is gone, or a token that does not tell, says nothing."""
        folded = self._folded[each.token]
        folded.checked_time, folded.fault = final.time, None
        try:
            said = decode_units(
                await self._chain.call(each.token, TOTAL_SUPPLY, final.number), each.token, "totalSupply()"
            )
            if said == folded.ledger.supply:
                return True
            if said - folded.ledger.supply == await self._of_nobody(each.token, final.number):
                return True
        except (Invalid, NoneCanAnswer):
            return False
        folded.fault = (
            f"{each.place}: the shares {checksum(each.token)} are {said} at block {final.number} of "
            f"{self._chain.name} by their totalSupply(), but the stored Transfers add up to {folded.ledger.supply}: "
            "holders are missing. Set start_block to its creation, or to an earlier block, and index into a new "
            "database; if it is that already, ask another endpoint"
        )
        return False

    async def _of_nobody(self, token: Address, block: int) -> int | None:
        """What lies at the zero address without being burned: no fold counts it. None where the token does not tell."""
        try:
            return decode_units(await self._chain.call(token, _BALANCE_OF_NOBODY, block), token, "balanceOf(address)")
        except Invalid:
            return None


def share_tokens(connection: Connection, chain_id: int) -> list[ShareToken]:
    """LP tokens, gauges, vault shares and shares to look through, each token once."""
    found: dict[Address, ShareToken] = {}
    ids = followed_tokens.on_chain(connection, chain_id)
    next_blocks = {(row.table, row.id): row.next_block for row in cursors.all_on(connection, chain_id)}

    def add(token: Address, table: str, number: int, place: str) -> None:
        found.setdefault(token, ShareToken(token, ids[token], next_blocks[table, number], place))

    for stored in share_pools.all_on(connection, chain_id):
        for token in (stored.lp_token, *stored.gauges):
            add(token, cursors.POOLS, stored.pool.id, f"pools[{checksum(stored.pool.address)}]")
    for vault in vaults.all_vaults(connection):
        if vault.pool.chain_id == chain_id:
            add(vault.share_token, cursors.POOLS, vault.pool.id, f"pools[{checksum(vault.pool.address)}]")
    for row in followed_contracts.on_chain(connection, chain_id, SHARES):
        if row.share_token is not None:
            add(row.share_token, cursors.CONTRACTS, row.id, f"look_through[{checksum(row.address)}]")
    return list(found.values())
