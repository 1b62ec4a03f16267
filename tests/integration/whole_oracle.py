"""What the scene of everything makes in dollars and points, from its moments alone, pool by pool."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from loyalty.core.address import Address
from tests.integration.holder_oracle import curve_stretches, uniswap_stretches
from tests.integration.notes import PriceAt
from tests.integration.points_oracle import Excluded, Row, cells, day_rows, round_rows, round_sheets
from tests.integration.scene import decimals_of, hourly_price
from tests.integration.vault_calls import DECIMALS
from tests.integration.vault_oracle import bridged_stretches, vault_stretches, yield_stretches
from tests.integration.vault_scene import DAY_RATE, ROUND_RATE
from tests.integration.whole_scene import LIQUIDITY_RATE, WholeScene

Cells = dict[tuple[int, str], int]
"""Micro-dollar-days by day and provider."""
UsdAt = Callable[[int], Fraction]


class Expected(NamedTuple):
    """Cells of each pool, bridged shares too, and those in range where they are others."""

    full: dict[Address, Cells]
    in_range: dict[Address, Cells]


def dollar(second: int) -> Fraction:
    """One, at any second."""
    return Fraction(1)


def by_the_file(second: int) -> Fraction:
    """The hourly price beside the program file."""
    return Fraction(hourly_price(second))


def by_the_feed(scene: WholeScene) -> UsdAt:
    """The feed's answer in force at the last full hour; ask while the node runs."""
    rounds = scene.feed.rounds()

    def usd(second: int) -> Fraction:
        hour = second // 3_600 * 3_600
        last = max((each for each in rounds if each.updated_at <= hour), key=lambda each: each.round_id)
        return Fraction(last.answer, 10**scene.feed.decimals)

    return usd


def expected_cells(scene: WholeScene, start: int, end: int, third: UsdAt, *, through: bool = True) -> Expected:
    """`third` prices the third coin of the Curve pool. Asks a pool's tokens for their decimals: the node must run."""
    holders, vaults = scene.holders, scene.vaults
    uniswap, price_at = holders.scene.pool.address, _uniswap_prices(scene)
    full = {
        uniswap: cells(uniswap_stretches(holders, start, end, price_at, through=through)),
        scene.curve_pool.pool: cells(curve_stretches(holders, start, end, third, through=through)),
        vaults.vault.address: cells(vault_stretches(vaults.vault, start, end, dollar, DECIMALS)),
        vaults.shares.address: cells(bridged_stretches(vaults.shares, vaults.vault, start, end, dollar, DECIMALS)),
        vaults.yields.address: cells(yield_stretches(vaults.yields, start, end, dollar, DECIMALS)),
    }
    in_range = cells(uniswap_stretches(holders, start, end, price_at, in_range=True, through=through))
    return Expected(full, {uniswap: in_range})


def _uniswap_prices(scene: WholeScene) -> PriceAt:
    """USD per smallest unit of token0 and token1: ONE by the file, TWO a dollar."""
    pool = scene.holders.scene.pool
    decimals = [decimals_of(scene.holders.node, token) for token in (pool.token0, pool.token1)]

    def price_at(second: int) -> tuple[Fraction, Fraction]:
        usd = [by_the_file(second) if each == 18 else Fraction(1) for each in decimals]
        return usd[0] / 10 ** decimals[0], usd[1] / 10 ** decimals[1]

    return price_at


def expected_points(
    scene: WholeScene, full: Mapping[Address, Cells], excluded: Iterable[Excluded] = ()
) -> dict[str, list[Row]]:
    """The rows of each points entry of the program. `full` are cells, these or those that are to be explained."""
    out, vaults = list(excluded), scene.vaults
    sheets = round_sheets(
        vaults.vault.starts,
        vaults.vault.moments,
        [vaults.shares.moments],
        decimals=DECIMALS,
        nobodys=vaults.nobodys,
    )
    rounds = [
        round_rows(each, dollar(each.time), Fraction(ROUND_RATE), decimals=DECIMALS, excluded=out) for each in sheets
    ]
    liquidity = (scene.holders.scene.pool.address, scene.curve_pool.pool)
    return {
        "droplets": [row for rows in rounds for row in rows or ()],
        "drops": day_rows(full[vaults.yields.address], Fraction(DAY_RATE), out),
        "liquidity": [row for pool in liquidity for row in day_rows(full[pool], Fraction(LIQUIDITY_RATE), out)],
    }
