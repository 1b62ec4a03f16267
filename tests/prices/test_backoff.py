import pytest

from loyalty.core.errors import Invalid, LoyaltyError, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.backoff import LONGEST_REST, Backoff, RestingSource, after_failure, no_backoff, resting
from loyalty.prices.plan import BeyondPlan

SPAN = Span(0, 3_600)


class Source:
    name = "coingecko"

    def __init__(self, *answers: LoyaltyError | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def points(self, span: Span, now: int) -> list[PricePoint]:
        self.asked += 1
        if (failure := self.answers.pop(0)) is not None:
            raise failure
        return [PricePoint(0, 5, self.name, now)]


def test_each_failure_doubles_the_rest_up_to_six_hours():
    backoff, rests = no_backoff("coingecko", "tBTC"), []
    for _ in range(12):
        backoff = after_failure(backoff, 1_000)
        rests.append(backoff.until - 1_000)
    assert rests == [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600, 21_600]
    assert backoff.failures == 12


def test_a_source_that_failed_is_not_asked_while_it_rests():
    source = Source(Unavailable("down"), None)
    resting_source = RestingSource(source, no_backoff("coingecko", "tBTC"))
    with pytest.raises(Unavailable, match="down"):
        resting_source.points(SPAN, 1_000)
    assert resting_source.backoff == Backoff("coingecko", "tBTC", 1_060, 1)
    with pytest.raises(Unavailable, match=r"tBTC: coingecko failed 1 times in a row .* before 1970-01-01T00:17:40Z"):
        resting_source.points(SPAN, 1_059)
    assert (source.asked, resting_source.backoff.failures) == (1, 1)
    assert len(resting_source.points(SPAN, 1_060)) == 1
    assert resting_source.backoff == no_backoff("coingecko", "tBTC")


def test_a_rest_is_remembered_over_a_restart_by_token_and_source():
    stored = [Backoff("coingecko", "tBTC", 5_000, 3), Backoff("coingecko", "WBTC", 9_000, 1)]
    (source,) = resting([Source(None)], "tBTC", stored)
    assert (source.name, source.backoff) == ("coingecko", stored[0])
    with pytest.raises(Unavailable, match="failed 3 times"):
        source.points(SPAN, 4_999)
    (other,) = resting([Source(None)], "ARB", stored)
    assert len(other.points(SPAN, 0)) == 1


def test_a_refused_key_is_a_failure_too_but_prices_beyond_a_plan_are_none():
    source = Source(BeyondPlan("too old", 60), Invalid("key refused"))
    resting_source = RestingSource(source, no_backoff("coingecko", "tBTC"))
    with pytest.raises(BeyondPlan):
        resting_source.points(SPAN, 1_000)
    assert resting_source.backoff.failures == 0
    with pytest.raises(Invalid, match="key refused"):
        resting_source.points(SPAN, 1_000)
    assert resting_source.backoff.failures == 1


def test_a_clock_that_was_set_back_does_not_silence_a_source():
    stored = Backoff("coingecko", "tBTC", 10**9, 4)
    assert len(RestingSource(Source(None), stored).points(SPAN, 10**9 - LONGEST_REST - 1)) == 1
