"""Prepare: the database is bound to the program, its rules become a version, and its pools are checked on the chain."""

from collections.abc import Mapping
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings, Program
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.jobs.pool_facts import PoolFacts, pool_facts
from loyalty.program.changes import Change, check_change
from loyalty.program.rules import Rules, Token
from loyalty.program.rules_text import rules_from_json, rules_json
from loyalty.state import StateTransaction, audit, chains, epochs, pools, program_config, tokens
from loyalty.state.engine import State


class Prepared(NamedTuple):
    """The version of the rules in force from now on, and what changed with it (nothing at an ordinary start)."""

    version: int
    changes: tuple[Change, ...]


def config_changes(state: State, rules: Rules) -> list[Change]:
    """What the program file would change; Conflict where it would touch a settled epoch or is another program."""
    with state.read() as connection:
        latest = program_config.latest(connection)
        settled = epochs.settled_count(connection)
    return [] if latest is None else check_change(rules_from_json(latest.rules), rules, settled)


async def prepare(state: State, program: Program, chains_by_id: Mapping[int, Chain], now: int) -> Prepared:
    """Bind the database to the program and register what is new in the file; refuses, changing nothing, what contradicts.

    The chain is asked only about pools that the database does not know yet.
    """
    changes = config_changes(state, program.rules)
    _check_same_managers(state, program)
    with state.read() as connection:
        known = {(row.chain_id, row.address) for row in pools.all_pools(connection)}
    found: dict[Address, PoolFacts] = {}
    for pool in program.pools:
        if (pool.chain_id, pool.address) not in known:
            found[pool.address] = await pool_facts(chains_by_id[pool.chain_id], pool)
            check_pool(pool, found[pool.address], program.rules)
    return _write(state, program, found, changes, now)


def check_pool(pool: PoolSettings, facts: PoolFacts, rules: Rules) -> None:
    """Invalid, naming both sides, where the program file contradicts the pool's contract."""
    place = f"pools[{checksum(pool.address)}]"
    first, second = (rules.tokens[symbol] for symbol in pool.tokens)
    named = {token.address: token for token in (first, second) if token.address}
    for address, decimals in ((facts.token0, facts.decimals0), (facts.token1, facts.decimals1)):
        token = named.get(address)
        if token is not None and token.decimals != decimals:
            raise Invalid(
                f"tokens[{token.symbol}].decimals is {token.decimals}, but the contract {checksum(address)} has {decimals}: "
                "correct the program file"
            )
    strangers = [token for address, token in named.items() if address not in (facts.token0, facts.token1)]
    if strangers:
        pair = f"{checksum(facts.token0)} and {checksum(facts.token1)}"
        raise Invalid(f"{place}.tokens names {strangers[0].symbol}, but the pool's tokens are {pair}: correct the program file")
    for key, written, read in (
        ("fee_pips", pool.fee_pips, facts.fee_pips),
        ("tick_spacing", pool.tick_spacing, facts.tick_spacing),
    ):
        if written is not None and written != read:
            raise Invalid(f"{place}.{key} is {written}, but the contract has {read}: correct the program file or leave it out")
    _check_unnamed(pool, facts, first, second)


def _check_unnamed(pool: PoolSettings, facts: PoolFacts, first: Token, second: Token) -> None:
    """Tokens without an address are taken in the pool's order; their decimals must still be right."""
    token0, token1 = ordered_tokens(facts, first, second)
    for token, decimals in ((token0, facts.decimals0), (token1, facts.decimals1)):
        if token.decimals != decimals:
            raise Invalid(
                f"tokens[{token.symbol}].decimals is {token.decimals}, but the token of pool {checksum(pool.address)} has "
                f"{decimals}: correct the program file"
            )


def ordered_tokens(facts: PoolFacts, first: Token, second: Token) -> tuple[Token, Token]:
    """The two tokens as the pool orders them, token0 first; by address where the file gives one."""
    if first.address == facts.token1 or second.address == facts.token0:
        return second, first
    return first, second


def _check_same_managers(state: State, program: Program) -> None:
    """Position managers decide how facts were read: they cannot change once a pool is indexed."""
    wanted = {str(chain.id): sorted(address for address, _ in chain.position_managers) for chain in program.chains}
    with state.read() as connection:
        stored = program_config.position_managers(connection)
    for chain_id, managers in stored.items():
        if wanted.get(chain_id) != managers:
            raise Conflict(
                f"chains[{chain_id}].position_managers differ from those that this database was indexed with "
                f"({', '.join(managers) or 'none'}): change them back, or index into a new database"
            )


def _write(
    state: State, program: Program, found: Mapping[Address, PoolFacts], changes: list[Change], now: int
) -> Prepared:
    rules = program.rules
    with StateTransaction(state, durable=True) as connection:
        program_config.bind(connection, rules.name, rules.start, rules.epoch_seconds, sorted(c.id for c in program.chains))
        for chain in program.chains:
            chains.ensure(connection, chain.id, chain.name)
        token_ids = {symbol: tokens.ensure(connection, token) for symbol, token in rules.tokens.items()}
        for pool in program.pools:
            if (facts := found.get(pool.address)) is not None:
                token0, token1 = ordered_tokens(facts, *(rules.tokens[symbol] for symbol in pool.tokens))
                pools.ensure(
                    connection,
                    chain_id=pool.chain_id,
                    address=pool.address,
                    protocol=pool.protocol,
                    token0_id=token_ids[token0.symbol],
                    token1_id=token_ids[token1.symbol],
                    fee_pips=facts.fee_pips,
                    tick_spacing=facts.tick_spacing,
                    start_block=pool.start_block,
                )
            else:
                _check_start_block(pools.find(connection, pool.chain_id, pool.address), pool)
        latest = program_config.latest(connection)
        if latest is not None and not changes and latest.rules == rules_json(rules):
            return Prepared(latest.version, ())
        settled = epochs.settled_count(connection)
        managers = {str(chain.id): sorted(address for address, _ in chain.position_managers) for chain in program.chains}
        version = program_config.add(
            connection,
            name=rules.name,
            start=rules.start,
            epoch_seconds=rules.epoch_seconds,
            chains=sorted(chain.id for chain in program.chains),
            position_managers=managers,
            rules=rules_json(rules),
            effective_from_epoch=settled + 1 if latest is not None else 1,
            created_time=now,
        )
        detail = {"version": version, "changes": [change._asdict() for change in changes]}
        audit.write(connection, now, "worker", "rules version", detail)
    return Prepared(version, tuple(changes))


def _check_start_block(row: pools.PoolRow | None, pool: PoolSettings) -> None:
    if row is None:
        raise NotFound(f"pool {pool.address} vanished from the database while it was prepared; start again")
    if row.start_block != pool.start_block:
        raise Conflict(
            f"pools[{checksum(pool.address)}].start_block is {pool.start_block}, but the database was indexed from "
            f"{row.start_block}: change it back, or index into a new database"
        )
