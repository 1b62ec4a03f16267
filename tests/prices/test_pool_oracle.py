"""A pool's mean price against the oracle of the real contract."""

import random

from loyalty.accrual.day import TokenScale
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice, PricePoint
from loyalty.core.spans import Span
from loyalty.prices.pool_twap import PoolHistory, PoolTwapSource, QuoteToken, tick_seconds
from tools.evm.functions import function
from tools.evm.node import Transaction
from tools.evm.payer import Call
from tools.evm.uniswap import Uniswap

TRADER = Address("0x" + "77" * 20)
FIRST_HOUR = 1_700_002_800
GROW = function("increaseObservationCardinalityNext", ["uint16"])
OBSERVE = function("observe", ["uint32[]"], ["int56[]", "uint160[]"])


def test_the_ticks_times_seconds_are_the_oracles_at_every_hour(uniswap: Uniswap) -> None:
    """Swaps at random times, several in one second too; at each full hour the contract is asked for two windows."""
    node, chance = uniswap.node, random.Random(7)
    tokens = sorted([uniswap.create_token("ONE"), uniswap.create_token("TWO")])
    pool = uniswap.create_pool(tokens[0], tokens[1], 3000, sqrt_ratio_at_tick(0))
    uniswap.fund(TRADER, tokens)
    uniswap.fund(uniswap.payer, tokens)
    uniswap.direct_mint(TRADER, pool, -6_000, 6_000, 10**24)
    node.mine([Transaction(TRADER, pool.address, GROW(120))])
    prices = [PoolPrice(node.header().time, sqrt_ratio_at_tick(0), 0)]
    assert prices[0].time < FIRST_HOUR - 1_800

    for hour in range(FIRST_HOUR, FIRST_HOUR + 5 * 3_600, 3_600):
        for time in sorted(chance.sample(range(max(hour - 3_599, prices[-1].time + 1), hour), 6)):
            targets = [sqrt_ratio_at_tick(chance.randint(-5_000, 5_000)) for _ in range(chance.randint(1, 2))]
            price = uniswap.view(pool).slot0().sqrt_price_x96
            swaps: list[Call] = []
            for target in targets:
                swaps.append(uniswap.router.swap(TRADER, pool, target < price, 10**28, target))
                price = target
            uniswap.send(TRADER, *swaps, time=time)
            prices.append(PoolPrice(time, *uniswap.view(pool).slot0()))
        node.mine_at(hour)
        for window in (1_800, 2_400):
            (before, now), _ = OBSERVE.answer(node.call(pool.address, OBSERVE([window, 0])))
            assert tick_seconds(prices, Span(hour - window, hour)) == now - before

    source = PoolTwapSource(
        lambda span: PoolHistory(prices, hour + 1),
        QuoteToken(lambda span: [PricePoint(0, 2 * 10**8, "fixed", 0)], TokenScale(18, 8), None),
        TokenScale(18, 8),
        "ONE",
        is_token0=True,
        rewarded=False,
    )
    points = source.points(Span(FIRST_HOUR, hour + 1), 0)
    assert [point.valid_time for point in points] == list(range(FIRST_HOUR, hour + 1, 3_600))
    for point in points:
        sum_of_ticks = tick_seconds(prices, Span(point.valid_time - 1_800, point.valid_time))
        assert sum_of_ticks is not None
        mean = sum_of_ticks // 1_800
        low, high = (2 * 10**8 * sqrt_ratio_at_tick(tick) ** 2 >> 192 for tick in (mean, mean + 1))
        assert low <= point.price <= high + 1
