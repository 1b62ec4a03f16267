"""Pools: what each one is, what lies in it now, and how far it is computed."""

from loyalty.config.rules_shown import dated
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_decimal
from loyalty.core.errors import NotFound
from loyalty.core.spans import Span
from loyalty.core.times import day_of, day_text, time_text
from loyalty.jobs.accrue import UNPRICED
from loyalty.program.rules import PoolKey
from loyalty.reports.paging import Cut, page
from loyalty.reports.shapes import Shape, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.state import balances, chains, days, facts, pool_tokens
from loyalty.state import pools as table
from loyalty.state.pools import PoolRow

DAYS_SHOWN = 30


def pools(snapshot: Snapshot, cut: Cut) -> Shape:
    """Every pool that is or was part of the program, by chain and address."""
    every = table.all_pools(snapshot.connection)
    rows, after = page(every, lambda row: (row.chain_id, row.address), "pools", cut)
    return {"items": [_pool(snapshot, row) for row in rows], "after": after, **snapshot.moving()}


def pool(snapshot: Snapshot, chain_id: int, address: Address) -> Shape:
    """One pool with its last 30 days; NotFound where the program has no such pool."""
    row = table.find(snapshot.connection, chain_id, address)
    if row is None:
        raise NotFound(f"the program has no pool {checksum(address)} on chain {chain_id}")
    return {**_pool(snapshot, row), "days": _days(snapshot, row)}


def chain_id_of(snapshot: Snapshot, name: str) -> int:
    """A chain by its id or its name; NotFound where it is neither."""
    for chain in chains.all_chains(snapshot.connection):
        if name in (chain.name, str(chain.id)):
            return chain.id
    raise NotFound(f"the program has no chain {name!r}")


def _pool(snapshot: Snapshot, row: PoolRow) -> Shape:
    rule = next((each for each in snapshot.rules.pools if each.pool == (row.chain_id, row.address)), None)
    held = [
        each
        for each in balances.balances(snapshot.connection)
        if (each.chain, each.pool) == (row.chain_id, row.address)
    ]
    price = facts.last_price(snapshot.connection, row.id)
    states = days.states(snapshot.connection, row.id).values()
    return {
        "chain": row.chain_id,
        "chain_name": chains.get(snapshot.connection, row.chain_id).name,
        "pool": checksum(row.address),
        "protocol": row.protocol,
        "tokens": list(pool_tokens.symbols(snapshot.connection, row)),
        "fee_pips": row.fee_pips,
        "tick_spacing": row.tick_spacing,
        "weight": format_decimal(rule.weight) if rule else None,
        **dated(rule.from_day if rule else None, rule.until_day if rule else None),
        "start_block": row.start_block,
        "next_block": row.next_block,
        "usd": usd(sum(each.usd_micro for each in held)),
        "usd_in_range": usd(sum(each.usd_micro_in_range for each in held)),
        "providers": sum(each.usd_micro > 0 for each in held),
        "tick": price.tick if price else None,
        "sqrt_price_x96": str(price.sqrt_price_x96) if price else None,
        "price_time": time_text(price.time) if price else None,
        "unpriced_days": [day_text(each.day) for each in states if each.status == UNPRICED],
        **snapshot.moving(),
    }


def _days(snapshot: Snapshot, row: PoolRow) -> list[Shape]:
    """What lay in the pool on each of its last 30 computed days: the providers' cells, added up."""
    if snapshot.time is None:
        return []
    today = day_of(min(snapshot.time, snapshot.rules.end - 1))
    span = Span(max(0, today + 1 - DAYS_SHOWN), today + 1)
    key = PoolKey(row.chain_id, row.address)
    sums = {day: (0, 0, 0) for day in days.states(snapshot.connection, row.id) if span.contains(day)}
    for cell in days.cells(snapshot.connection, span):
        if (cell.chain, cell.pool) == key:
            full, in_range, count = sums[cell.day]
            sums[cell.day] = full + cell.usd_micro_days, in_range + cell.usd_micro_days_in_range, count + 1
    return [
        {
            "date": day_text(day),
            "usd_days": usd(full),
            "usd_days_in_range": usd(in_range),
            "providers": count,
            "status": snapshot.status_of_day(day),
        }
        for day, (full, in_range, count) in sorted(sums.items())
    ]
