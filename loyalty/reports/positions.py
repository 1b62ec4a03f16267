"""Positions: what a provider holds in each pool now, from the facts alone."""

from loyalty.core.address import Address, checksum
from loyalty.core.facts import PositionKey
from loyalty.reports.followed import follow
from loyalty.reports.paging import Cut, page
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape, pool_of
from loyalty.reports.snapshot import Snapshot, indexed_to
from loyalty.state import chains, facts, pools
from loyalty.state.pools import PoolRow


def positions(snapshot: Snapshot, address: Address, cut: Cut) -> Shape:
    """The provider's positions with liquidity, by pool and range, as of the newest indexed block."""
    known(snapshot, address)
    held = [
        (pool, position, steps[-1].liquidity)
        for pool in pools.all_pools(snapshot.connection)
        for position, steps in follow(snapshot.connection, pool, _managers(snapshot, pool), address).items()
        if steps[-1].liquidity
    ]
    rows, after = page(held, lambda row: (row[0].id, *_key(row[1])), f"positions of {address}", cut)
    ticks = {pool.id: facts.last_price(snapshot.connection, pool.id) for pool, _, _ in rows}
    items = []
    for pool, position, liquidity in rows:
        price = ticks[pool.id]
        items.append(_position(pool, position, liquidity, price.tick if price else None))
    return {"items": items, "after": after, "as_of": indexed_to(snapshot), "status": _status(snapshot)}


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
