"""From the pools of a document without a fault to pools with every default filled in, and to their rules."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from loyalty.config.entries import DeploymentTable, PoolTable
from loyalty.config.program import PoolSettings
from loyalty.program.rules import PoolRule, Token

MAX_DEVIATION = Fraction("0.02")


def built_pools(
    entries: Sequence[PoolTable], ids: Mapping[str, int], tokens: Mapping[str, Token]
) -> tuple[PoolSettings, ...]:
    """Every pool, a vault followed by the deployments of its shares on other chains."""
    found: list[PoolSettings] = []
    for entry in entries:
        pool = _pool(entry, ids, tokens)
        found += [pool, *(_deployment(pool, each, ids) for each in entry.deployments or ())]
    return tuple(found)


def pool_rule(pool: PoolSettings) -> PoolRule:
    """The pool's part in the rules. A told value is held against the holdings, by 2% where the file says nothing."""
    value = pool.value or "holdings"
    limit = pool.max_deviation or (None if value == "holdings" else MAX_DEVIATION)
    return PoolRule(pool.key, pool.tokens, pool.weight, pool.from_day, pool.until_day, value, limit)


def _deployment(vault: PoolSettings, entry: DeploymentTable, ids: Mapping[str, int]) -> PoolSettings:
    """Counted as the vault is: same asset, weight and days."""
    return replace(
        vault,
        chain_id=ids[entry.chain],
        chain=entry.chain,
        address=entry.address,
        start_block=entry.start_block,
        home=vault.key,
    )


def _pool(entry: PoolTable, ids: Mapping[str, int], tokens: Mapping[str, Token]) -> PoolSettings:
    return PoolSettings(
        chain_id=ids[entry.chain],
        chain=entry.chain,
        protocol=entry.protocol,
        address=entry.address,
        start_block=entry.start_block,
        tokens=_in_pool_order(entry, tokens),
        fee_pips=entry.fee_pips,
        tick_spacing=entry.tick_spacing,
        from_day=entry.from_day,
        until_day=entry.until_day,
        weight=entry.weight,
        lp_token=entry.lp_token,
        gauges=entry.gauges or (),
        value=entry.value,
        max_deviation=entry.max_deviation,
    )


def _in_pool_order(entry: PoolTable, tokens: Mapping[str, Token]) -> tuple[str, ...]:
    """token0 and token1: Uniswap V3 orders them by address. Without both addresses the file's order stands, and for
    other protocols always."""
    addresses = [tokens[symbol].address for symbol in entry.tokens]
    if entry.protocol == "uniswap_v3" and None not in addresses:
        return tuple(sorted(entry.tokens, key=lambda symbol: tokens[symbol].address or ""))
    return entry.tokens
