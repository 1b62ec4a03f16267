"""Prepare: the database is bound to the program, its rules become a version, and its pools are checked on the chain."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.config import PoolSettings, Program
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Conflict, Invalid
from loyalty.jobs.contracts import price_contracts
from loyalty.jobs.contracts.contract_facts import ContractFacts
from loyalty.jobs.contracts.deployed import place
from loyalty.jobs.contracts.holders import is_followed, register_holder
from loyalty.jobs.contracts.pool_facts import PoolFacts
from loyalty.jobs.contracts.registered_pool import check_registered, ordered_tokens, register
from loyalty.jobs.contracts.share_pool_facts import SharePoolFacts
from loyalty.jobs.contracts.vault_facts import VaultFacts
from loyalty.program.changes import Change, check_change
from loyalty.program.rules import LookThroughRule, PoolKey, Rules, Token
from loyalty.program.rules_text import rules_from_json, rules_json
from loyalty.state import (
    StateTransaction,
    audit,
    chains,
    days,
    epochs,
    points,
    pool_tokens,
    pools,
    program_config,
    rounds,
    tokens,
)
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow
from loyalty.state.program_config import ConfigVersion


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


def unknown_pools(state: State, program: Program, chain_id: int) -> list[PoolSettings]:
    """The program's pools on a chain that the database does not know yet: their contracts are to be asked."""
    with state.read() as connection:
        known = {row.address for row in pools.all_pools(connection, chain_id)}
    return [pool for pool in program.pools if pool.chain_id == chain_id and pool.address not in known]


def prepare(
    state: State,
    program: Program,
    found: Mapping[PoolKey, ContractFacts],
    now: int,
    silent: Collection[int] = frozenset(),
    found_prices: Sequence[price_contracts.Found] = (),
) -> Prepared:
    """Bind the database to the program and register what is new in the file.

    `found` is what the contracts of the unknown pools say, `found_prices` what feeds and pools that price tokens do. On
    the chains `silent`, which have not answered yet, unknown pools and contracts to look through stay unknown, and so
    do bridged shares of vaults there. What contradicts the database is refused, nothing changed.
    """
    changes = config_changes(state, program.rules)
    _check_same_managers(state, program)
    for pool in program.pools:
        if pool.key in found:
            check_pool(pool, found[pool.key], program.rules)
    return _write(state, program, found, changes, now, silent, found_prices)


def check_pool(pool: PoolSettings, facts: ContractFacts, rules: Rules) -> None:
    """Invalid, naming both sides, where the program file contradicts the pool's contract."""
    match facts:
        case SharePoolFacts():
            _check_coins(pool, facts, rules)
        case VaultFacts():
            _check_asset(pool, facts, rules)
        case PoolFacts():
            _check_pair(pool, facts, rules)


def _check_asset(pool: PoolSettings, facts: VaultFacts, rules: Rules) -> None:
    """The asset is the file's token; shares of a vault with rounds have its decimals, on every chain."""
    token = rules.tokens[pool.tokens[0]]
    if facts.asset is not None and token.address != facts.asset:
        raise Invalid(
            f"{place(pool)}.tokens[0] is {token.symbol} ({checksum(token.address) if token.address else 'no address'}),"
            f" but the vault's asset is {checksum(facts.asset)}: correct the program file"
        )
    if facts.asset_decimals is not None and token.decimals != facts.asset_decimals:
        raise Invalid(
            f"tokens[{token.symbol}].decimals is {token.decimals}, but the vault's asset has {facts.asset_decimals}: "
            "correct the program file"
        )
    if pool.protocol == "stream_vault" and facts.share_decimals != token.decimals:
        raise Invalid(
            f"{place(pool)}: its shares have {facts.share_decimals} decimals and its asset {token.symbol} has "
            f"{token.decimals}: shares of a vault with rounds have those of their asset; check address and token"
        )


def _check_coins(pool: PoolSettings, facts: SharePoolFacts, rules: Rules) -> None:
    """Each coin is the token of the same place in the file."""
    for number, (symbol, coin, decimals) in enumerate(zip(pool.tokens, facts.coins, facts.decimals, strict=True)):
        token = rules.tokens[symbol]
        if token.address != coin:
            written = checksum(token.address) if token.address else "without an address"
            raise Invalid(
                f"{place(pool)}.tokens[{number}] is {symbol} ({written}), but the pool's coin {number} is "
                f"{checksum(coin)}: correct the program file"
            )
        if token.decimals != decimals:
            raise Invalid(
                f"tokens[{symbol}].decimals is {token.decimals}, but the contract {checksum(coin)} has {decimals}: "
                "correct the program file"
            )


def _check_pair(pool: PoolSettings, facts: PoolFacts, rules: Rules) -> None:
    first, second = (rules.tokens[symbol] for symbol in pool.tokens)
    named = {token.address: token for token in (first, second) if token.address}
    for address, decimals in ((facts.token0, facts.decimals0), (facts.token1, facts.decimals1)):
        token = named.get(address)
        if token is not None and token.decimals != decimals:
            raise Invalid(
                f"tokens[{token.symbol}].decimals is {token.decimals}, but the contract {checksum(address)} has "
                f"{decimals}: correct the program file"
            )
    strangers = [token for address, token in named.items() if address not in (facts.token0, facts.token1)]
    if strangers:
        pair = f"{checksum(facts.token0)} and {checksum(facts.token1)}"
        raise Invalid(
            f"{place(pool)}.tokens names {strangers[0].symbol}, but the pool's tokens are {pair}: "
            "correct the program file"
        )
    for key, written, read in (
        ("fee_pips", pool.fee_pips, facts.fee_pips),
        ("tick_spacing", pool.tick_spacing, facts.tick_spacing),
    ):
        if written is not None and written != read:
            raise Invalid(
                f"{place(pool)}.{key} is {written}, but the contract has {read}: correct the program file or "
                "leave it out"
            )
    _check_unnamed(pool, facts, first, second)


def _check_unnamed(pool: PoolSettings, facts: PoolFacts, first: Token, second: Token) -> None:
    """Tokens without an address are taken in the pool's order; their decimals must still be right."""
    token0, token1 = ordered_tokens(facts, first, second)
    for token, decimals in ((token0, facts.decimals0), (token1, facts.decimals1)):
        if token.decimals != decimals:
            raise Invalid(
                f"tokens[{token.symbol}].decimals is {token.decimals}, but the token of pool {checksum(pool.address)} "
                f"has {decimals}: correct the program file"
            )


def position_managers(program: Program) -> dict[str, list[Address]]:
    """By chain id the position managers that the program follows, ascending."""
    return {str(chain.id): sorted(manager.address for manager in chain.position_managers) for chain in program.chains}


def _check_same_managers(state: State, program: Program) -> None:
    """Position managers decide how facts were read: they cannot change once a pool is indexed."""
    wanted = position_managers(program)
    with state.read() as connection:
        stored = {
            str(chain.id): managers
            for chain in chains.all_chains(connection)
            if (managers := chains.position_managers(connection, chain.id)) is not None
        }
    for chain_id, managers in stored.items():
        if wanted.get(chain_id) != managers:
            raise Conflict(
                f"chains[{chain_id}].position_managers differ from those that this database was indexed with "
                f"({', '.join(managers) or 'none'}): change them back, or index into a new database"
            )


def _write(
    state: State,
    program: Program,
    found: Mapping[PoolKey, ContractFacts],
    changes: list[Change],
    now: int,
    silent: Collection[int],
    found_prices: Sequence[price_contracts.Found],
) -> Prepared:
    rules = program.rules
    managers = position_managers(program)
    with StateTransaction(state, durable=True) as connection:
        program_config.bind(
            connection, rules.name, rules.start, rules.epoch_seconds, sorted(c.id for c in program.chains)
        )
        for chain in program.chains:
            chains.ensure(connection, chain.id, chain.name)
            chains.set_position_managers(connection, chain.id, managers[str(chain.id)])
        token_ids = {symbol: tokens.ensure(connection, token) for symbol, token in rules.tokens.items()}
        for pool in program.pools:
            if _waits(connection, pool, found, silent):
                continue
            if (facts := found.get(pool.key)) is not None:
                register(connection, pool, facts, rules, token_ids)
            else:
                check_registered(connection, pool)
        for holder in program.look_through:
            if holder.chain_id not in silent or is_followed(connection, holder):
                register_holder(connection, holder)
        price_contracts.register(connection, program, found_prices)
        latest = program_config.latest(connection)
        if latest is not None and not changes:
            return Prepared(latest.version, ())
        settled = epochs.settled_count(connection)
        if latest is not None:
            _forget_unsettled(connection, rules_from_json(latest.rules), rules, settled)
        version = 1 if latest is None else latest.version + 1
        program_config.add(
            connection,
            ConfigVersion(
                version=version,
                name=rules.name,
                start=rules.start,
                epoch_seconds=rules.epoch_seconds,
                chains=tuple(sorted(chain.id for chain in program.chains)),
                rules=rules_json(rules),
                effective_from_epoch=settled + 1 if latest is not None else 1,
                created_time=now,
            ),
        )
        detail = {"version": version, "changes": [change._asdict() for change in changes]}
        audit.write(connection, now, "worker", "rules version", detail)
    return Prepared(version, tuple(changes))


def _waits(connection: Connection, pool: PoolSettings, found: Collection[PoolKey], silent: Collection[int]) -> bool:
    """Whether the pool, or the vault whose shares it holds, is unknown and on a chain that has not answered yet."""
    asked = [pool.key] if pool.home is None else [pool.key, pool.home]
    unknown = [key for key in asked if key.chain in silent and key not in found]
    return any(pools.find(connection, *key) is None for key in unknown)


def _forget_unsettled(connection: Connection, old: Rules, new: Rules, settled: int) -> None:
    """What hangs on the old rules and is not settled is computed again: evaluations, points, and the days that they
    change."""
    epochs.delete_unsettled(connection)
    first = new.epoch(settled + 1)
    points.delete_begun_since(connection, first.start, first.days.start)
    rounds.delete_since(connection, first.start)
    for pool in pools.all_pools(connection):
        if _counts_otherwise(connection, pool, old, new):
            days.delete_from(connection, pool.id, first.days.start)


def _counts_otherwise(connection: Connection, pool: PoolRow, old: Rules, new: Rules) -> bool:
    """Whether the edit changes the pool's days: the age of prices, what a share is worth, who is looked through."""
    kept = old.tokens.keys() & new.tokens.keys()
    aged = {symbol for symbol in kept if old.tokens[symbol].max_age != new.tokens[symbol].max_age}
    return bool(
        aged.intersection(pool_tokens.symbols(connection, pool))
        or _valued(old, pool) != _valued(new, pool)
        or _looked_through(old, pool.chain_id) != _looked_through(new, pool.chain_id)
    )


def _valued(rules: Rules, pool: PoolRow) -> tuple[str, Fraction | None] | None:
    found = (rule for rule in rules.pools if rule.pool == (pool.chain_id, pool.address))
    return next(((rule.value, rule.max_deviation) for rule in found), None)


def _looked_through(rules: Rules, chain_id: int) -> list[LookThroughRule]:
    return [rule for rule in rules.look_through if rule.chain == chain_id]
