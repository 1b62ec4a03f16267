"""Staked positions: those that a staker owns are their depositors'.

Composed with the position ledger: each of its facts with the changes it made, and the stakes between them, all in
(block, log index) order. The answer is again changes, of the same liquidity at the same times (docs/look-through.md).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    LiquidityChange,
    PositionChange,
    PositionKey,
    PositionStake,
    PositionToken,
    PositionTransfer,
)


@dataclass(slots=True)
class _Staked:
    """A token that a staker owns now; its position is known once it had liquidity there."""

    staker: Address
    depositor: Address | None
    position: PositionKey | None = None
    liquidity: int = 0

    @property
    def owner(self) -> Address:
        return self.depositor or self.staker


class StakedPositions:
    """Who deposited what, for as long as the staker owns it.

    A token that came without a deposit stays the staker's own. A deposit is known by its event: after the token came,
    at any time; before it came, in the same transaction only. When the token leaves, its deposit ends, event or not.
    """

    def __init__(self, stakers: Collection[Address]) -> None:
        self._stakers = frozenset(stakers)
        self._tokens: dict[PositionToken, _Staked] = {}
        self._announced: dict[tuple[Address, PositionToken], Address | None] = {}
        """Deposits of tokens that have not come yet, of this transaction."""
        self._transaction = b""
        self._last = (-1, -1)

    def apply(
        self, fact: LiquidityChange | PositionTransfer | PositionStake, changes: Sequence[PositionChange] = ()
    ) -> list[PositionChange]:
        """`changes`, which `fact` made in the position ledger, by depositor; a stake makes its own."""
        self._advance(fact)
        if isinstance(fact, PositionStake):
            return self._stake(fact)
        found = [self._by_depositor(change) for change in changes if change.liquidity_delta < 0]
        if isinstance(fact, PositionTransfer) and fact.sender != fact.recipient:
            self._move(fact)
        return found + [self._by_depositor(change) for change in changes if change.liquidity_delta > 0]

    def positions(self, positions: Mapping[PositionKey, int]) -> dict[PositionKey, int]:
        """The position ledger's positions, as they stand now, by depositor."""
        return {self._named(position): liquidity for position, liquidity in positions.items()}

    def _advance(self, fact: LiquidityChange | PositionTransfer | PositionStake) -> None:
        here = (fact.block, fact.log_index)
        if here <= self._last:
            raise Inconsistent(
                f"block {fact.block}, log {fact.log_index}: came after block {self._last[0]}, log {self._last[1]} was "
                "folded: stakes and positions must come once, and in order"
            )
        self._last = here
        if fact.transaction_hash != self._transaction:
            self._transaction = fact.transaction_hash
            self._announced.clear()

    def _stake(self, stake: PositionStake) -> list[PositionChange]:
        """Nothing changes for a token that the staker does not own."""
        account = None if stake.account == ZERO_ADDRESS else stake.account
        staked = self._tokens.get(stake.token)
        if staked is None or staked.staker != stake.staker:
            self._announced[stake.staker, stake.token] = account
            return []
        before, staked.depositor = staked.owner, account
        if before == staked.owner or staked.position is None or not staked.liquidity:
            return []
        return [
            PositionChange(stake.time, staked.position._replace(owner=before), -staked.liquidity),
            PositionChange(stake.time, staked.position._replace(owner=staked.owner), staked.liquidity),
        ]

    def _move(self, transfer: PositionTransfer) -> None:
        self._tokens.pop(transfer.token, None)
        if transfer.recipient in self._stakers:
            depositor = self._announced.pop((transfer.recipient, transfer.token), None)
            self._tokens[transfer.token] = _Staked(transfer.recipient, depositor)

    def _by_depositor(self, change: PositionChange) -> PositionChange:
        staked = self._of(change.position)
        if staked is None:
            return change
        staked.position = change.position
        staked.liquidity += change.liquidity_delta
        return change._replace(position=change.position._replace(owner=staked.owner))

    def _named(self, position: PositionKey) -> PositionKey:
        staked = self._of(position)
        return position if staked is None else position._replace(owner=staked.owner)

    def _of(self, position: PositionKey) -> _Staked | None:
        """Ranges that a staker owns without a token are its own."""
        staked = self._tokens.get(position.token) if position.token is not None else None
        return staked if staked is not None and staked.staker == position.owner else None
