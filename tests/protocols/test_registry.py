"""The protocols that can be indexed."""

from loyalty.protocols.registry import PROTOCOLS
from loyalty.protocols.uniswap_v3 import adapter


def test_uniswap_v3_is_read_by_its_adapter():
    assert list(PROTOCOLS) == ["uniswap_v3"]
    assert PROTOCOLS["uniswap_v3"].read_span is adapter.read_span
    assert PROTOCOLS["uniswap_v3"].read_last_price is adapter.read_last_price
    assert PROTOCOLS["uniswap_v3"].first_query is adapter.first_query
