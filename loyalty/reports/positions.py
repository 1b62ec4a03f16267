"""Positions: what a provider holds in each pool now, from the facts alone."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loyalty.core.address import Address, checksum
from loyalty.core.facts import PositionKey
from loyalty.jobs.histories.holders import look_through_rules
from loyalty.program.rules import LookThroughRule
from loyalty.reports.followed import follow
from loyalty.reports.followed_holders import follow_holder
from loyalty.reports.followed_shares import follow_shares
from loyalty.reports.followed_vault import follow_vault
from loyalty.reports.paging import Cut, page
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape, pool_of
from loyalty.reports.snapshot import Snapshot, indexed_to
from loyalty.state import chains, facts, pools
from loyalty.state.pools import PoolRow

BEHIND = 1 << 30
"""Beyond every tick and every gauge: what is held behind contracts comes last."""


def positions(snapshot: Snapshot, address: Address, cut: Cut) -> Shape:
    """The provider's positions with liquidity, by pool and range, as of the newest indexed block."""
    known(snapshot, address)
    held = [each for pool in pools.all_pools(snapshot.connection) for each in _held(snapshot, pool, address)]
    rows, after = page(held, lambda row: (row.pool.id, *row.key), f"positions of {address}", cut)
    ticks = {row.pool.id: facts.last_price(snapshot.connection, row.pool.id) for row in rows}
    items = []
    for row in rows:
        price = ticks[row.pool.id]
        items.append(_shape(row, price.tick if price else None))
    return {"items": items, "after": after, "as_of": indexed_to(snapshot), "status": _status(snapshot)}


class HeldNow(NamedTuple):
    """A position with liquidity: on a range, or units of an LP, gauge or share token.

    `through` is the staker or the contract by which it is the provider's, where there is one.
    """

    pool: PoolRow
    position: PositionKey | Address
    liquidity: int
    key: tuple[int | str, ...]
    kind: str
    through: Address | None = None


def _held(snapshot: Snapshot, pool: PoolRow, address: Address) -> Iterator[HeldNow]:
    """The provider's positions in a pool, of its own and behind contracts; `key` orders them and is unique within it.

    A contract that is looked through is told as it holds, and nothing behind others: that is its holders'.
    """
    yield from _own(snapshot, pool, address)
    contracts = look_through_rules(snapshot.epoch_rules, pool.chain_id)
    if all(rule.address != address for rule in contracts):
        yield from _behind(snapshot, pool, address, contracts)


def _behind(
    snapshot: Snapshot, pool: PoolRow, address: Address, contracts: Sequence[LookThroughRule]
) -> Iterator[HeldNow]:
    """Shares of contracts that hold something of the pool, themselves or behind those before them."""
    followed = follow_holder(snapshot.connection, pool.chain_id, address) if contracts else {}
    for number, rule in enumerate(contracts):
        steps = followed.get(rule.shares, []) if rule.shares is not None else []
        if rule.shares is None or not steps or not steps[-1].liquidity:
            continue
        earlier = contracts[:number]
        if any(_own(snapshot, pool, rule.address)) or any(_behind(snapshot, pool, rule.address, earlier)):
            key = (BEHIND, number, -1, "")
            yield HeldNow(pool, rule.shares, steps[-1].liquidity, key, "behind", rule.address)


def _own(snapshot: Snapshot, pool: PoolRow, address: Address) -> Iterator[HeldNow]:
    if pool.protocol == "curve":
        for number, (token, steps) in enumerate(follow_shares(snapshot.connection, pool, address).items()):
            if steps and steps[-1].liquidity:
                kind, gauge = ("staked", token) if number else ("shares", None)
                yield HeldNow(pool, token, steps[-1].liquidity, (number, 0, -1, ""), kind, gauge)
        return
    if pool.protocol in ("stream_vault", "erc4626"):
        if (held := follow_vault(snapshot.connection, pool, address)) and held[-1].liquidity:
            yield HeldNow(pool, pool.address, held[-1].liquidity, (0, 0, -1, ""), "shares")
        return
    rules, managers = snapshot.epoch_rules, _managers(snapshot, pool)
    for position, steps in follow(snapshot.connection, pool, rules, managers, address).items():
        if steps[-1].liquidity:
            kind = "token" if position.token else "direct"
            yield HeldNow(pool, position, steps[-1].liquidity, _key(position), kind, steps[-1].staker)


def _shape(held: HeldNow, tick: int | None) -> Shape:
    through = checksum(held.through) if held.through else None
    if isinstance(held.position, PositionKey):
        return {**_position(held.pool, held.position, held.liquidity, tick), "through": through}
    of_ranges = held.pool.protocol == "uniswap_v3"
    return {
        **pool_of(held.pool.chain_id, held.pool.address),
        "kind": held.kind,
        "manager": None,
        "token_id": None,
        "share_token": checksum(held.position),
        "through": through,
        "lower_tick": None,
        "upper_tick": None,
        "liquidity": str(held.liquidity),
        "tick": None,
        "in_range": None if of_ranges else True,
    }


def _managers(snapshot: Snapshot, pool: PoolRow) -> list[Address]:
    return chains.position_managers(snapshot.connection, pool.chain_id) or []


def _key(position: PositionKey) -> tuple[int | str, ...]:
    token = position.token
    return position.lower, position.upper, token.token_id if token else -1, token.manager if token else ""


def _position(pool: PoolRow, position: PositionKey, liquidity: int, tick: int | None) -> Shape:
    token = position.token
    return {
        **pool_of(pool.chain_id, pool.address),
        "kind": "token" if token else "direct",
        "manager": checksum(token.manager) if token else None,
        "token_id": str(token.token_id) if token else None,
        "share_token": None,
        "lower_tick": position.lower,
        "upper_tick": position.upper,
        "liquidity": str(liquidity),
        "tick": tick,
        "in_range": None if tick is None else position.lower <= tick < position.upper,
    }


def _status(snapshot: Snapshot) -> str:
    """provisional while a newest indexed block can still be reorganized, else computed."""
    final = {chain.id: chain.finalized_block for chain in chains.all_chains(snapshot.connection)}
    places = indexed_to(snapshot)
    return "computed" if all((final[each["chain"]] or -1) >= each["block"] for each in places) else "provisional"
