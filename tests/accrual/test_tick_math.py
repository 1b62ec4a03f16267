"""sqrt_ratio_at_tick against what the contract answers."""

import gzip
import json
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.accrual.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    in_range,
    inverse,
    sqrt_ratio_at_tick,
)
from loyalty.core.errors import Invalid

RECORDED = Path(__file__).parents[2].parent / "shared" / "data"
SWAP = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"


@pytest.mark.parametrize(
    ("tick", "sqrt_ratio"),
    [
        (-887_272, 4295128739),
        (-887_271, 4295343490),
        (-1000, 75364347830767020784054125655),
        (-500, 77272108795590369356373805297),
        (-250, 78244023372248365697264290337),
        (-100, 78833030112140176575862854579),
        (-50, 79030349367926598376800521322),
        (0, 2**96),
        (50, 79426470787362580746886972461),
        (100, 79625275426524748796330556128),
        (250, 80224679980005306637834519095),
        (500, 81233731461783161732293370115),
        (1000, 83290069058676223003182343270),
        (2500, 89776708723587163891445672585),
        (3000, 92049301871182272007977902845),
        (4000, 96768528593268422080558758223),
        (5000, 101729702841318637793976746270),
        (50_000, 965075977353221155028623082916),
        (150_000, 143194173941309278083010301478497),
        (250_000, 21246587762933397357449903968194344),
        (500_000, 5697689776495288729098254600827762987878),
        (738_203, 847134979253254120489401328389043031315994541),
        (887_271, 1461373636630004318706518188784493106690254656249),
        (887_272, 1461446703485210103287273052203988822378723970342),
    ],
)
def test_the_ratio_is_the_contract_s_to_the_last_bit(tick: int, sqrt_ratio: int) -> None:
    assert sqrt_ratio_at_tick(tick) == sqrt_ratio


@given(st.integers(MIN_TICK, MAX_TICK))
def test_the_ratio_is_the_power_it_stands_for_within_twenty_roundings_in_128_bits(tick: int) -> None:
    with localcontext() as context:
        context.prec = 80
        exact = Decimal("1.0001") ** (Decimal(tick) / 2) * 2**96
        of_one_unit_x128 = Decimal("1.0001") ** (Decimal(abs(tick)) / 2) / 2**128
        assert abs(sqrt_ratio_at_tick(tick) - exact) <= 1 + 2 * 20 * exact * of_one_unit_x128


@given(st.integers(MIN_TICK, MAX_TICK - 1))
def test_ratios_rise_and_inverses_fall_from_tick_to_tick(tick: int) -> None:
    here, above = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    assert MIN_SQRT_RATIO <= here < above <= MAX_SQRT_RATIO
    assert inverse(here) > inverse(above) > 0


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_beyond_the_grid_there_is_no_ratio(tick: int) -> None:
    with pytest.raises(Invalid, match=f"tick {tick} is not on the grid"):
        sqrt_ratio_at_tick(tick)


def test_in_range_includes_the_lower_tick_and_not_the_upper() -> None:
    assert [in_range(tick, -60, 60) for tick in (-61, -60, 59, 60)] == [False, True, True, False]


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded mainnet logs are not beside the checkout")
@pytest.mark.parametrize(("recording", "swaps"), [("uniswap-v3-first-day", 1_001), ("usdc-weth-2024-01-05", 6_313)])
def test_every_recorded_swap_of_mainnet_lies_between_its_tick_s_ratios(recording: str, swaps: int) -> None:
    seen = 0
    with gzip.open(RECORDED / recording / "logs.jsonl.gz", "rt") as lines:
        for log in map(json.loads, lines):
            if log["topics"][0] == SWAP:
                words = bytes.fromhex(log["data"][2:])
                root, tick = int.from_bytes(words[64:96]), int.from_bytes(words[128:160], signed=True)
                assert sqrt_ratio_at_tick(tick) <= root <= sqrt_ratio_at_tick(tick + 1)
                seen += 1
    assert seen == swaps
