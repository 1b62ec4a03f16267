"""One pool's ledger, on two levels: the ranges as the pool knows them, and the position tokens behind the managers.

Always: no range and no token is below zero, and at every swap the ranges around the tick add up to `Swap.liquidity`. A
fact that breaks this is Inconsistent. The tokens on a range never add up to more than the manager's range: what changes
a token changes its range alike, and what a manager has beyond its tokens is nobody's and can only grow.
"""

from collections.abc import Collection
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    Fact,
    LiquidityChange,
    PoolPrice,
    PositionChange,
    PositionKey,
    PositionToken,
    PositionTransfer,
    Swap,
)
from loyalty.protocols.uniswap_v3.in_range import InRangeLiquidity


class RangeKey(NamedTuple):
    """A range as its pool knows it; `owner` can be a position manager."""

    owner: Address
    lower: int
    upper: int


class HeldToken(NamedTuple):
    """A position token's range, owner and liquidity. The owner is None between Mint and the Transfer right after it."""

    lower: int
    upper: int
    owner: Address | None
    liquidity: int

    @property
    def burned(self) -> bool:
        return self.owner == ZERO_ADDRESS


class PoolLedger:
    """Folds one pool's facts, in (block, log index) order. After an Inconsistent it is of no further use."""

    __slots__ = ("_in_range", "_last", "_managers", "_minting", "_price", "_ranges", "_tokens", "pool")

    def __init__(self, pool: Address, managers: Collection[Address]) -> None:
        self.pool = pool
        self._managers = managers
        self._last = (-1, -1)  # (block, log index) of the last fact: a Checkpoint, made plainly for each swap
        self._minting: PositionToken | None = None
        self._price: Swap | PoolPrice | None = None
        self._in_range = InRangeLiquidity()
        self._ranges: dict[RangeKey, int] = {}
        self._tokens: dict[PositionToken, HeldToken] = {}

    def copy(self) -> "PoolLedger":
        twin = PoolLedger(self.pool, self._managers)
        twin._last, twin._minting, twin._price = self._last, self._minting, self._price
        twin._in_range = self._in_range.copy()
        twin._ranges, twin._tokens = self._ranges.copy(), self._tokens.copy()
        return twin

    # What it says ---------------------------------------------------------------------------------------------------

    @property
    def price(self) -> PoolPrice | None:
        if self._price is None:
            return None
        return PoolPrice(self._price.time, self._price.sqrt_price_x96, self._price.tick)

    @property
    def in_range_liquidity(self) -> int | None:
        return self._in_range.liquidity

    def tokens(self) -> list[PositionToken]:
        return [token for token, held in self._tokens.items() if not held.burned]

    def holds(self, token: PositionToken) -> bool:
        return token in self._tokens

    def ranges(self) -> dict[RangeKey, int]:
        return self._ranges.copy()

    def positions(self) -> dict[PositionKey, int]:
        """The liquidity above zero of each position that is somebody's."""
        direct = {
            PositionKey(key.owner, key.lower, key.upper, None): liquidity
            for key, liquidity in self._ranges.items()
            if key.owner not in self._managers
        }
        behind_managers = {
            PositionKey(held.owner, held.lower, held.upper, token): held.liquidity
            for token, held in self._tokens.items()
            if held.owner is not None and held.liquidity
        }
        return direct | behind_managers

    # What it is told ------------------------------------------------------------------------------------------------

    def set_price(self, price: PoolPrice) -> None:
        self._price = price
        self._in_range.move(price.tick)

    def swap(self, swap: Swap) -> None:
        """The price moved; the liquidity in range after it is checked."""
        self._advance(swap)
        self._price = swap
        liquidity = self._in_range.move(swap.tick)
        if swap.liquidity is not None and swap.liquidity != liquidity:
            raise Inconsistent(
                f"{self._place(swap)}: the swap says {swap.liquidity} liquidity in range at tick {swap.tick}, the "
                f"positions add up to {liquidity}: a Mint or Burn is missing or was altered. Ask another endpoint; if "
                "it says the same, the pool is older than its start_block: index it again from its creation"
            )

    def change(self, change: LiquidityChange) -> list[PositionChange]:
        """Liquidity came or left, on the pool's level and behind the manager; the changes of providers' positions."""
        self._advance(change)
        key = RangeKey(change.owner, change.lower, change.upper)
        self._change_range(key, change)
        if change.token is not None:
            return self._change_token(key, change.token, change)
        if change.owner not in self._managers:
            return [PositionChange(change.time, PositionKey(*key, None), change.liquidity_delta)]
        if change.liquidity_delta < 0:
            raise Inconsistent(f"{self._place(change)}: a Burn of position manager {change.owner} names no token")
        return []

    def transfer(self, transfer: PositionTransfer) -> list[PositionChange]:
        """A token changed hands, and its liquidity with it."""
        self._advance(transfer)
        held = self._tokens.get(transfer.token)
        sender = ZERO_ADDRESS if held is None or held.owner is None else held.owner
        if held is None or held.burned or transfer.sender != sender:
            raise self._wrong_transfer(transfer, held)
        if transfer.recipient == ZERO_ADDRESS and held.liquidity:
            raise Inconsistent(
                f"{self._place(transfer)}: token {transfer.token.token_id} was burned with {held.liquidity} liquidity "
                "left: a DecreaseLiquidity is missing. Ask another endpoint"
            )
        self._tokens[transfer.token] = held._replace(owner=transfer.recipient)
        return _moved(transfer, held)

    # Checks and steps -----------------------------------------------------------------------------------------------

    def _advance(self, fact: Fact) -> None:
        here = (fact.block, fact.log_index)
        if here <= self._last:
            block, log_index = self._last
            raise Inconsistent(
                f"{self._place(fact)}: came after block {block}, log {log_index} was folded: facts must come once, "
                "and in order"
            )
        if self._minting is not None:
            self._finish_minting(fact)
        self._last = here

    def _finish_minting(self, fact: Fact) -> None:
        """A new token's first owner is named by the log right after its Mint, and by no other."""
        token, self._minting = self._minting, None
        block, log_index = self._last
        right_after = (fact.block, fact.log_index) == (block, log_index + 1)
        if not (right_after and isinstance(fact, PositionTransfer) and fact.token == token):
            raise Inconsistent(
                f"pool {self.pool}, block {block}, log {log_index}: a new position token has no Transfer right after "
                "its Mint, so its owner is not known: a log is missing. Ask another endpoint"
            )

    def _change_range(self, key: RangeKey, change: LiquidityChange) -> None:
        liquidity = self._ranges.get(key, 0) + change.liquidity_delta
        if liquidity < 0 or not change.liquidity_delta:
            raise Inconsistent(
                f"{self._place(change)}: {change.liquidity_delta} would leave {liquidity} liquidity to {key.owner} on "
                f"{key.lower}..{key.upper}: a Mint is missing, or the pool's start_block is later than its creation"
            )
        if liquidity:
            self._ranges[key] = liquidity
        else:
            del self._ranges[key]
        self._in_range.add(key.lower, key.upper, change.liquidity_delta)

    def _change_token(self, key: RangeKey, token: PositionToken, change: LiquidityChange) -> list[PositionChange]:
        held = self._tokens.get(token)
        if held is None:
            held = HeldToken(key.lower, key.upper, None, 0)
            self._minting = token
        liquidity = held.liquidity + change.liquidity_delta
        self._check_token(key, token, held, liquidity, change)
        self._tokens[token] = held._replace(liquidity=liquidity)
        if held.owner is None:
            return []
        position = PositionKey(held.owner, held.lower, held.upper, token)
        return [PositionChange(change.time, position, change.liquidity_delta)]

    def _check_token(
        self, key: RangeKey, token: PositionToken, held: HeldToken, liquidity: int, change: LiquidityChange
    ) -> None:
        if token.manager != key.owner or key.owner not in self._managers:
            raise Inconsistent(
                f"{self._place(change)}: token {token.token_id} is of position manager {token.manager}, the range of "
                f"{key.owner}, and the managers of this chain are {', '.join(sorted(self._managers)) or 'none'}"
            )
        if (held.lower, held.upper) != (key.lower, key.upper) or held.burned:
            bound = "was burned" if held.burned else f"is bound to {held.lower}..{held.upper} of this pool"
            raise Inconsistent(
                f"{self._place(change)}: token {token.token_id} of {token.manager} {bound}, and now names "
                f"{key.lower}..{key.upper}"
            )
        if liquidity < 0:
            raise Inconsistent(
                f"{self._place(change)}: {change.liquidity_delta} would leave {liquidity} liquidity to token "
                f"{token.token_id} of {token.manager}: an IncreaseLiquidity is missing. Ask another endpoint"
            )

    def _wrong_transfer(self, transfer: PositionTransfer, held: HeldToken | None) -> Inconsistent:
        if held is None:
            state = "was never minted for this pool"
        elif held.burned:
            state = "was burned"
        else:
            state = "was just minted" if held.owner is None else f"belongs to {held.owner}"
        return Inconsistent(
            f"{self._place(transfer)}: token {transfer.token.token_id} of {transfer.token.manager} goes from "
            f"{transfer.sender} to {transfer.recipient}, but it {state}: a Transfer is missing. Ask another endpoint"
        )

    def _place(self, fact: Fact) -> str:
        return f"pool {self.pool}, block {fact.block}, log {fact.log_index}"


def _moved(transfer: PositionTransfer, held: HeldToken) -> list[PositionChange]:
    """What a transfer of `held` means to its old and its new owner."""
    if not held.liquidity or transfer.recipient == held.owner:
        return []
    to = PositionKey(transfer.recipient, held.lower, held.upper, transfer.token)
    gained = PositionChange(transfer.time, to, held.liquidity)
    if held.owner is None:
        return [gained]
    return [PositionChange(transfer.time, to._replace(owner=held.owner), -held.liquidity), gained]
