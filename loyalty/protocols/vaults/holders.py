"""The holders of a share token on one chain at given times."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.core.facts import TokenTransfer
from loyalty.protocols.erc20 import ShareLedger


class SharesAt(NamedTuple):
    """The holders of `token` on one chain, as of its last block with a timestamp up to `time` (unix seconds).

    `shares` are above zero, and none are the token contract's own: what it holds of itself is nobody's. `supply` counts
    every share on that chain, nobody's too.
    """

    token: Address
    time: int
    shares: dict[Address, int]
    supply: int


def held(ledger: ShareLedger) -> dict[Address, int]:
    """The balances above zero of everybody but the token contract itself."""
    shares = ledger.balances()
    shares.pop(ledger.token, None)
    return shares


def shares_at(token: Address, transfers: Iterable[TokenTransfer], times: Sequence[int]) -> list[SharesAt]:
    """The holders at each of `times`, which ascend: one pass over all `transfers` since the token's creation.

    The chain must be indexed past the last time: until then a Transfer can still come. Timestamps never go back along a
    chain, so the blocks up to a time are a beginning of the history.
    """
    if list(times) != sorted(times):
        raise Invalid(f"holders of {token}: the times asked for do not ascend")
    ledger = ShareLedger(token)
    answers: list[SharesAt] = []
    waiting = list(reversed(times))
    for transfer in transfers:
        while waiting and transfer.time > waiting[-1]:
            answers.append(_now(ledger, waiting.pop()))
        ledger.apply(transfer)
    while waiting:
        answers.append(_now(ledger, waiting.pop()))
    return answers


def _now(ledger: ShareLedger, time: int) -> SharesAt:
    return SharesAt(ledger.token, time, held(ledger), ledger.supply)
