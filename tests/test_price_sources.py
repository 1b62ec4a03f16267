"""The program file's price settings become sources, in its order."""

import httpx

from loyalty.config import CoinGeckoPrice, DefiLlamaPrice, FilePrice, FixedPrice, TokenSettings
from loyalty.program.rules import Token
from loyalty.service import price_sources


def test_each_setting_becomes_its_source_in_the_order_of_the_file(tmp_path):
    token = Token("WBTC", 0, None, 8, 8, 7_200)
    settings = (
        CoinGeckoPrice("wrapped-bitcoin"),
        DefiLlamaPrice("arbitrum:0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"),
        FilePrice(tmp_path / "prices.csv"),
        FixedPrice(100_000_000),
    )
    with httpx.Client() as client:
        sources = price_sources((TokenSettings(token, settings),), client, None, lambda _: None)
    assert [source.name for source in sources["WBTC"]] == ["coingecko", "defillama", "file", "fixed"]


def test_a_token_without_a_price_has_no_source():
    reward = Token("T", 0, None, 18, 8, 7_200)
    with httpx.Client() as client:
        assert price_sources((TokenSettings(reward, ()),), client, None, lambda _: None) == {"T": []}
