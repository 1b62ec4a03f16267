"""Curve pools in the program file: their coins in the pool's order, and what is refused of them."""

import pytest

from loyalty.config.later import LATER

COINS = ("tBTC", "WBTC")
CURVE = {"pools[0].protocol": "curve", "pools[0].fee_pips": None, "pools[0].tick_spacing": None}
COIN = {
    "symbol": "USDX",
    "chain": "arbitrum-one",
    "address": "0x" + "11" * 20,
    "decimals": 6,
    "price": {"fixed": "1"},
}


@pytest.fixture(autouse=True)
def _lifted(monkeypatch):
    for name in ('pools.protocol = "curve"', "pools.lp_token", "pools.gauges", "pools.value"):
        monkeypatch.delitem(LATER, name, raising=False)


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
