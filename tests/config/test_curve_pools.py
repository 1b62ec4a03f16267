"""Curve pools in the program file: their coins in the pool's order, and what is refused of them."""

from fractions import Fraction

import pytest

COINS = ("tBTC", "WBTC")
CURVE = {"pools[0].protocol": "curve", "pools[0].fee_pips": None, "pools[0].tick_spacing": None}
COIN = {
    "symbol": "USDX",
    "chain": "arbitrum-one",
    "address": "0x" + "11" * 20,
    "decimals": 6,
    "price": {"fixed": "1"},
}


def test_coins_stand_in_the_order_of_the_file_whatever_their_addresses(load, changed):
    for tokens in (COINS, COINS[::-1]):
        program = load(changed(**CURVE, **{"pools[0].tokens": list(tokens)}))
        assert program.pools[0].tokens == tokens
        assert program.rules.pools[0].tokens == tokens


def test_a_pool_may_have_three_coins(load, changed, valid):
    tokens = [*valid()["tokens"], COIN]
    program = load(changed(**CURVE, tokens=tokens, **{"pools[0].tokens": ["USDX", *COINS]}))
    assert program.rules.pools[0].tokens == ("USDX", *COINS)
    assert program.masked()["pools"][0]["lp_token"] == program.masked()["pools"][0]["address"]


@pytest.mark.parametrize("coins", [["tBTC"], ["tBTC", "WBTC", "tBTC"], ["tBTC", "WBTC", "ARB", "OP", "T"]])
def test_one_coin_one_twice_and_five_are_refused(refused, changed, coins):
    faults = refused(changed(**CURVE, **{"pools[0].tokens": coins}))
    (fault,) = (fault for fault in faults if fault.startswith("pools[0].tokens:"))
    assert fault.endswith("expected two to four different token symbols, in the pool's order")


def test_a_coin_without_its_address_is_refused(refused, changed):
    assert refused(changed(**CURVE, **{"tokens[1].address": None, "tokens[1].chain": None})) == (
        'pools[0].tokens[0]: read "WBTC", a token without an address; '
        "expected a token with its address: a curve pool's coins are read there",
    )


def test_an_lp_token_or_gauge_belongs_to_one_pool(refused, changed):
    gauge = "0x" + "22" * 20
    assert refused(changed(**CURVE, **{"pools[0].gauges": [gauge, gauge]})) == (
        f'pools[0].gauges[1]: read "arbitrum-one", "{gauge}" a second time; '
        "expected another than at pools[0].gauges[0]",
    )


@pytest.mark.parametrize("value", ["virtual_price", "peg:WBTC"])
def test_what_a_pool_tells_is_held_against_its_holdings(load, refused, changed, value):
    held = load(changed(**CURVE, **{"pools[0].value": "holdings"})).rules.pools[0]
    assert (held.value, held.max_deviation) == ("holdings", None)
    told = load(changed(**CURVE, **{"pools[0].value": value})).rules.pools[0]
    assert (told.value, told.max_deviation) == (value, Fraction("0.02"))
    closer = changed(**CURVE, **{"pools[0].value": value, "pools[0].max_deviation": "0.005"})
    assert load(closer).rules.pools[0].max_deviation == Fraction("0.005")
    assert refused(changed(**CURVE, **{"pools[0].max_deviation": "0.01"})) == (
        "pools[0].max_deviation: read it for a pool valued by its holdings; expected it for another value: remove it",
    )
