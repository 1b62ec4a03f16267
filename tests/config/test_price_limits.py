"""Price sources on a chain and deviation limits: what belongs together, what is filled in, what is told."""

import pytest

FEED = "0x00000000000000000000000000000000000000fe"
OTHER = "0x00000000000000000000000000000000000000bb"
REWARDED = "0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a"


def test_a_feed_and_a_pool_are_shown_with_their_defaults(load, changed):
    written = [{"chainlink": FEED}, {"pool": OTHER}, {"chainlink": OTHER, "heartbeat": "65m"}]
    token = load(changed(**{"tokens[0].price": written})).tokens[0].masked()
    assert token["price"] == [
        {"chainlink": "0x00000000000000000000000000000000000000fe", "heartbeat": "25h"},
        {"pool": "0x00000000000000000000000000000000000000bb", "window": "30m", "allow_rewarded": False},
        {"chainlink": "0x00000000000000000000000000000000000000bb", "heartbeat": "65m"},
    ]
    assert "max_deviation" not in token


def test_a_limit_is_shown_with_what_is_compared(load, changed):
    limits = {"tokens[0].max_deviation": "0.020", "tokens[0].references": {"defillama": "coingecko:tbtc"}}
    token = load(changed(**limits)).tokens[0]
    assert token.masked()["max_deviation"] == "0.02"
    assert token.masked()["references"] == [{"defillama": "coingecko:tbtc"}]
    assert len(token.sources) == len(token.prices) + 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"tokens[2].price": {"coingecko": "arbitrum", "heartbeat": "1h"}},
            "tokens[2].price.heartbeat: read 3600; expected it beside chainlink only: remove it",
        ),
        (
            {"tokens[0].price": {"chainlink": FEED, "window": "30m"}},
            "tokens[0].price.window: read 1800; expected it beside pool only: remove it",
        ),
        (
            {"tokens[0].price": {"pool": OTHER, "window": "29m"}},
            'tokens[0].price.window: read "29m"; expected a duration of at least 1800s, written as a whole number and '
            's, m, h, d or w, such as "30m"',
        ),
        (
            {"tokens[0].price": {"pool": REWARDED}},
            f'tokens[0].price.pool: read "{REWARDED}"; expected a pool that the program does not reward: who moves '
            "this price is paid by it. Take another source, or set allow_rewarded = true, with max_deviation for the "
            "token",
        ),
        (
            {"tokens[2].price": {"chainlink": FEED}},
            "tokens[2].chain: read nothing; expected the chain on which the price is read",
        ),
        (
            {"tokens[2].max_deviation": "0.02"},
            "tokens[2].references: read nothing; expected another source to compare with: max_deviation needs two "
            "sources, here or in price",
        ),
        (
            {"tokens[2].references": [{"defillama": "coingecko:arbitrum"}]},
            'tokens[2].max_deviation: read nothing; expected a limit such as "0.02", within which references confirm',
        ),
        (
            {"tokens[2].max_deviation": "1", "tokens[2].references": [{"fixed": "1"}]},
            'tokens[2].max_deviation: read "1"; expected a decimal number above 0 and below 1 of at most 6 decimals, '
            'such as "0.02"',
        ),
    ],
)
def test_what_does_not_belong_together_is_told(refused, changed, change, fault):
    assert refused(changed(**change)) == (fault,)


def test_a_source_does_not_confirm_itself(refused, changed):
    limits = {"tokens[2].max_deviation": "0.02", "tokens[2].references": [{"coingecko": "arbitrum"}]}
    (fault,) = refused(changed(**limits))
    assert fault.startswith("tokens[2].references[0]: read ")
    assert fault.endswith("expected another than at tokens[2].price")


def test_a_rewarded_pool_prices_where_the_operator_allows_it(load, changed):
    allowed = {"pool": REWARDED, "window": "2h", "allow_rewarded": True}
    token = load(changed(**{"tokens[0].price": allowed})).tokens[0]
    assert token.masked()["price"][0]["allow_rewarded"] is True
