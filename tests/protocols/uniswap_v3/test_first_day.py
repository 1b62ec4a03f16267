"""Uniswap V3's own first day on Ethereum: every liquidity that a swap told follows from the logs before it."""

from collections import Counter

import pytest

from loyalty.core.errors import Inconsistent
from loyalty.core.spans import Span
from loyalty.protocols.uniswap_v3 import topics
from loyalty.protocols.uniswap_v3.adapter import read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger

DAY = Span(12_369_739, 12_376_626)
MANAGER = "0xc36442b4a4522e871399cd717abdd847ab11fe88"


@pytest.fixture(scope="module")
def logs(recorded):
    return recorded("uniswap-v3-first-day")


def pools_of(logs):
    return sorted({log.address for log in logs if log.topics[0] == topics.INITIALIZE})


def test_all_1001_swaps_of_90_pools_are_reproduced(logs, driver):
    ledger = Ledger([])
    facts = driver(logs)(read_span(pools_of(logs), {}, ledger, DAY, with_swaps=True))
    swaps = [swap for swap in facts.swaps if swap.liquidity is not None]
    assert (len(swaps), len({swap.pool for swap in swaps}), len(facts.swaps)) == (1001, 90, 1001 + 165)
    assert (len(facts.liquidity_changes), facts.transfers, facts.logs_read) == (917 + 70, [], 2321 - 168)
    for pool, swap in {swap.pool: swap for swap in swaps}.items():
        later = [change for change in facts.liquidity_changes if change.pool == pool and change[1:3] > swap[1:3]]
        came = sum(change.liquidity_delta for change in later if change.lower <= swap.tick < change.upper)
        assert ledger.in_range_liquidity(pool) == swap.liquidity + came
        assert ledger.price(pool) == (swap.time, swap.sqrt_price_x96, swap.tick)


def test_the_day_read_in_pieces_says_the_same(logs, driver):
    whole, ledger = Ledger([]), Ledger([])
    driver(logs)(read_span(pools_of(logs), {}, whole, DAY, with_swaps=True))
    swaps = 0
    for piece in DAY.pieces(997):
        swaps += len(driver(logs)(read_span(pools_of(logs), {}, ledger, piece, with_swaps=True)).swaps)
    assert swaps == 1001 + 165
    for pool in pools_of(logs):
        assert ledger.positions(pool) == whole.positions(pool)
        assert ledger.in_range_liquidity(pool) == whole.in_range_liquidity(pool)


def test_every_owner_of_the_day_is_the_position_manager(logs, driver):
    facts = driver(logs)(read_span(pools_of(logs), {}, Ledger([]), DAY, with_swaps=False))
    assert Counter(change.owner for change in facts.liquidity_changes) == {MANAGER: 987}


def test_any_mint_left_out_of_the_busiest_pool_stops_the_step(logs, driver):
    """Each of its mints before its last swap that covers a later swap's tick; the others no swap can tell."""
    pool = Counter(log.address for log in logs if log.topics[0] == topics.SWAP).most_common(1)[0][0]
    its = [log for log in logs if log.address == pool]
    facts = driver(its)(read_span([pool], {}, Ledger([]), DAY, with_swaps=True))
    told = 0
    for mint in [change for change in facts.liquidity_changes if change.liquidity_delta > 0][::12]:
        later = [swap.tick for swap in facts.swaps if swap[1:3] > mint[1:3]]
        if not any(mint.lower <= tick < mint.upper for tick in later):
            continue
        rest = driver([log for log in its if (log.block, log.log_index) != mint[1:3]])
        with pytest.raises(Inconsistent, match=f"pool {pool}, block "):
            rest(read_span([pool], {}, Ledger([]), DAY, with_swaps=True))
        told += 1
    assert told >= 5
