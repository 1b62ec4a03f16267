"""The LP supply: what the pool's events say, against what the LP token's Transfers add up to.

Two things have to be told apart by it. An LP token burned by a withdrawal ceases to exist; one that its holder sent to
the zero address, which Curve's tokens allow, exists on and is nobody's (or anyone could make the two supplies differ).
Only the pool's event tells which it was. And the words of three families are their own:

- factory pools of the older StableSwap, which are their own LP token, can count a mint or a burn twice in the supply;
- crypto pools log a supply of 0 at their first AddLiquidity;
- RemoveLiquidityOne of some pools says the tokens burned and no supply.
"""

from collections.abc import Iterator, Sequence

from loyalty.core.address import ZERO_ADDRESS
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.protocols.curve.events import Generation, LiquidityEvent
from loyalty.protocols.curve.pool import CurvePool


def check_supply(
    pool: CurvePool, supply: int, transfers: Sequence[TokenTransfer], events: Sequence[LiquidityEvent]
) -> list[TokenTransfer]:
    """The LP token's transfers as facts; Inconsistent, with both numbers, where an event contradicts them.

    `supply` stands before them. Transfers and events are in (block, log index) order. What was sent to the zero address
    and not burned goes to the LP token's own address instead, which is nobody's and from which nothing can leave.
    """
    fold = _SupplyFold(pool, supply)
    logs: list[TokenTransfer | LiquidityEvent] = [*transfers, *events]
    for log in sorted(logs, key=_position):
        fold.open(log.transaction_hash)
        if isinstance(log, TokenTransfer):
            fold.transfer(log)
        elif log.adds:
            fold.add(log)
        else:
            fold.remove(log)
    return fold.close()


def _position(log: TokenTransfer | LiquidityEvent) -> tuple[int, int]:
    return log.block, log.log_index


class _SupplyFold:
    """`_waiting` are the places, among the facts, of transfers to the zero address not yet known to be burns; their
    tokens still count as existing. No event of a later transaction can claim them."""

    def __init__(self, pool: CurvePool, supply: int) -> None:
        self._pool = pool
        self._supply = supply
        self._minted = 0
        self._transaction = b""
        self._facts: list[TokenTransfer] = []
        self._waiting: list[int] = []

    def open(self, transaction: bytes) -> None:
        if transaction != self._transaction:
            self._give_up()
            self._transaction = transaction
            self._minted = 0

    def close(self) -> list[TokenTransfer]:
        self._give_up()
        return self._facts

    def _give_up(self) -> None:
        """What no event has claimed was not burned."""
        for place in self._waiting:
            self._facts[place] = self._facts[place]._replace(recipient=self._pool.lp_token)
        self._waiting.clear()

    def transfer(self, transfer: TokenTransfer) -> None:
        if not transfer.units:
            return
        if transfer.sender == ZERO_ADDRESS:
            self._supply += transfer.units
            self._minted = transfer.units
            if transfer.recipient == ZERO_ADDRESS:
                transfer = transfer._replace(recipient=self._pool.lp_token)
        elif transfer.recipient == ZERO_ADDRESS:
            self._waiting.append(len(self._facts))
        elif transfer.recipient == transfer.sender:
            return
        self._facts.append(transfer)

    def add(self, event: LiquidityEvent) -> None:
        if event.token_supply not in set(self._supplies_after_mint(event)):
            raise self._differs(event, self._supply)
        self._minted = 0

    def _supplies_after_mint(self, event: LiquidityEvent) -> Iterator[int]:
        yield self._supply
        if self._counts_twice(event):
            yield self._supply + self._minted
        if event.generation == Generation.CRYPTO and self._supply == self._minted:
            yield 0

    def remove(self, event: LiquidityEvent) -> None:
        """The last transfer to the zero address, in this transaction, that fits the event's numbers is its burn."""
        burned = next((place for place in reversed(self._waiting) if self._fits(self._facts[place].units, event)), None)
        if burned is not None:
            self._waiting.remove(burned)
            self._supply -= self._facts[burned].units
        elif not self._fits(0, event):
            raise self._differs(event, self._supply - sum(self._facts[place].units for place in self._waiting))

    def _fits(self, units: int, event: LiquidityEvent) -> bool:
        if event.burned not in (None, units):
            return False
        said = event.token_supply
        after = self._supply - units
        return said is None or said == after or (self._counts_twice(event) and said == after - units)

    def _counts_twice(self, event: LiquidityEvent) -> bool:
        return event.generation == Generation.STABLESWAP and self._pool.lp_token == self._pool.pool

    def _differs(self, event: LiquidityEvent, folded: int) -> Inconsistent:
        if event.token_supply is None:
            said = f"{event.burned} LP tokens were burned, which no Transfer of its transaction shows"
        else:
            said = f"the LP supply is {event.token_supply}, the Transfers of {self._pool.lp_token} add up to {folded}"
        return Inconsistent(
            f"{event.event} of pool {event.pool}, block {event.block}, log {event.log_index}: {said}. A Transfer is "
            "missing, lp_token is not this pool's, or start_block is later than its creation. Ask another endpoint; if "
            "it says the same, check the pool's keys"
        )
