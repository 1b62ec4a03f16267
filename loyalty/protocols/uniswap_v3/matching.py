"""Which position token stands behind a pool's log: told by log index alone, because the manager's logs name no pool.

    new position   Mint (owner = manager) at i, Transfer (0x0 -> recipient, id) at i + 1, IncreaseLiquidity (id) i + 2
    increase       Mint (owner = manager) at i, IncreaseLiquidity (id) at i + 1
    decrease       Burn (owner = manager, not zero) at i, DecreaseLiquidity (id) at i + 1

The manager emits its logs directly after its call into the pool returns, and the pool emits Mint or Burn as the last
thing it does: so whatever stands directly after a log of another pool is never ours, however equal its numbers. That
liquidity and amounts agree is asserted afterwards; matching by them can be forged with a worthless pool. A Mint that
somebody else made in the manager's name has no such follower: its liquidity is nobody's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from loyalty.core.address import ZERO_ADDRESS
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import LiquidityChange, PositionToken
from loyalty.protocols.uniswap_v3.events import TokenLiquidity, TokenTransfer

ManagerEvent = TokenLiquidity | TokenTransfer
ManagerEvents = Mapping[Checkpoint, ManagerEvent]


def match_tokens(
    changes: Sequence[LiquidityChange], events: ManagerEvents, is_ours: Callable[[PositionToken], bool]
) -> list[LiquidityChange]:
    """`changes`, all owned by position managers and in order, each with the token that follows from `events`.

    `events` holds the managers' logs of at least the blocks of `changes`; `is_ours` tells the tokens that earlier spans
    bound to these pools. An event of one of our tokens without its pool's log, or the other way round, is Inconsistent:
    an endpoint left out a log.
    """
    known: set[PositionToken] = set()
    followers: set[Checkpoint] = set()
    matched = []
    for change in changes:
        minted = _minted_token(change, events)
        follower = _follower(change, events, minted)
        if follower is None:
            matched.append(change)
            continue
        _assert_equal(change, follower)
        if minted is None and follower.token not in known and not is_ours(follower.token):
            raise _unknown_token(change, follower)
        known.add(follower.token)
        followers.add(Checkpoint(follower.block, follower.log_index))
        matched.append(change._replace(token=follower.token))
    _assert_complete(events.values(), followers, lambda token: token in known or is_ours(token))
    return matched


def _minted_token(change: LiquidityChange, events: ManagerEvents) -> PositionToken | None:
    """The token whose minting Transfer stands directly after a Mint."""
    event = _after(change, 1, events)
    if change.liquidity_delta > 0 and isinstance(event, TokenTransfer) and event.sender == ZERO_ADDRESS:
        return event.token
    return None


def _follower(change: LiquidityChange, events: ManagerEvents, minted: PositionToken | None) -> TokenLiquidity | None:
    """The manager's word on this very change; None for a Mint that did not come through the manager."""
    event = _after(change, 1 if minted is None else 2, events)
    if isinstance(event, TokenLiquidity) and (event.liquidity_delta > 0) == (change.liquidity_delta > 0):
        if minted is None or event.token == minted:
            return event
    elif change.liquidity_delta > 0 and minted is None:
        return None
    missing = "DecreaseLiquidity" if change.liquidity_delta < 0 else "IncreaseLiquidity"
    raise Inconsistent(
        f"{_place(change)}: position manager {change.owner} has no {missing} that belongs to it: "
        "the endpoint left out a log, ask another one"
    )


def _after(change: LiquidityChange, distance: int, events: ManagerEvents) -> ManagerEvent | None:
    """The manager's event so many logs after the change, if there is one of the very manager that owns the range."""
    event = events.get(Checkpoint(change.block, change.log_index + distance))
    return event if event is not None and event.token.manager == change.owner else None


def _assert_equal(change: LiquidityChange, follower: TokenLiquidity) -> None:
    said = (change.liquidity_delta, change.amount0, change.amount1, change.transaction_hash)
    repeated = (follower.liquidity_delta, follower.amount0, follower.amount1, follower.transaction_hash)
    if said != repeated:
        raise Inconsistent(
            f"{_place(change)}: the pool says liquidity {change.liquidity_delta}, amounts {change.amount0} and "
            f"{change.amount1}; log {follower.log_index} of its position manager says {follower.liquidity_delta}, "
            f"{follower.amount0} and {follower.amount1}, or stands in another transaction: an answer is damaged, or "
            f"{change.owner} is not a Uniswap V3 position manager"
        )


def _assert_complete(
    events: Iterable[ManagerEvent], followers: set[Checkpoint], is_ours: Callable[[PositionToken], bool]
) -> None:
    for event in events:
        if not isinstance(event, TokenLiquidity) or Checkpoint(event.block, event.log_index) in followers:
            continue
        if is_ours(event.token):
            raise Inconsistent(
                f"position manager {event.token.manager}, block {event.block}, log {event.log_index}: the liquidity of "
                f"token {event.token.token_id} changed by {event.liquidity_delta}, but its pool has no log for it: "
                "the endpoint left out a log, ask another one"
            )


def _unknown_token(change: LiquidityChange, follower: TokenLiquidity) -> Inconsistent:
    return Inconsistent(
        f"{_place(change)}: token {follower.token.token_id} of position manager {change.owner} changed, but its "
        "minting was never seen: the pool's start_block is later than its creation, or an endpoint left out a log"
    )


def _place(change: LiquidityChange) -> str:
    event = "Burn" if change.liquidity_delta < 0 else "Mint"
    return f"{event} of pool {change.pool}, block {change.block}, log {change.log_index}"
