import itertools
import json
from bisect import bisect_left
from decimal import Decimal
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, parse_time
from loyalty.prices.defillama import DefiLlamaSource
from loyalty.prices.pace import Pace
from loyalty.prices.refusal import Reason

NOW = parse_time("2026-09-09T12:40:00Z")
FIRST = parse_time("2026-08-01T00:00:00Z")
COIN = "arbitrum:0x6c84a8f1c29108F47a79964b5Fe888D4f4D0dE40"


class DefiLlama:
    """Answers as documented: of each sample the nearest record within the width; a coin without any is left out.

    `records` are (time, price as JSON); those after `now` do not exist yet. `skips` are sample times that a chart
    overlooks.
    """

    def __init__(self, records=(), now=NOW, confidence="0.99"):
        self.records = sorted(records)
        self.now = now
        self.confidence = confidence
        self.skips: set[int] = set()
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.refusals = []
        self.failures: list[httpx.Response | Exception] = []

    def source(self, coin=COIN, price_decimals=8, **limits):
        client = httpx.Client(transport=httpx.MockTransport(self))
        pace = Pace(0, clock=lambda: 0.0, sleep=self.waits.append)
        refuse = self.refusals.append
        return DefiLlamaSource(coin, price_decimals, "tBTC", client, self.waits.append, pace, refuse=refuse, **limits)

    def __call__(self, request):
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        kind, _, coin = request.url.path[1:].partition("/")
        return {"chart": self._chart, "batchHistorical": self._batch, "prices": self._first}[kind](
            unquote(coin), request.url.params
        )

    def _chart(self, coin, asked):
        start, count, period = int(asked["start"]), int(asked["span"]), 60 * int(asked["period"].removesuffix("m"))
        assert count <= 500
        assert asked["period"].endswith("m")
        times = [start + n * period for n in range(count) if start + n * period not in self.skips]
        found = self._nearest(coin, times, int(asked["searchWidth"]))
        prices = ",".join(f'{{"timestamp":{time},"price":{price}}}' for time, price in found)
        return self._coins(
            coin, found, f'{{"decimals":18,"symbol":"TBTC","prices":[{prices}],"confidence":{self.confidence}}}'
        )

    def _batch(self, _, asked):
        ((coin, times),) = json.loads(asked["coins"]).items()
        found = self._nearest(coin, times, int(asked["searchWidth"]))
        prices = ",".join(
            f'{{"timestamp":{time},"price":{price},"confidence":{self.confidence}}}' for time, price in found
        )
        return self._coins(coin, found, f'{{"symbol":"TBTC","prices":[{prices}]}}')

    def _first(self, coin, _):
        coin = coin.removeprefix("first/")
        found = self.records if coin.lower() == COIN.lower() else []
        return self._coins(coin, found, '{"symbol":"TBTC","price":1.5,"timestamp":1690000000}')

    def _coins(self, coin, found, text):
        return httpx.Response(200, text=f'{{"coins":{{"{coin}":{text}}}}}' if found else '{"coins":{}}')

    def _nearest(self, coin, times, width):
        known = [each for each in self.records if each[0] <= self.now] if coin.lower() == COIN.lower() else []
        found = []
        for time in times:
            place = bisect_left(known, (time, ""))
            near = [each for each in known[max(0, place - 1) : place + 1] if abs(each[0] - time) <= width]
            found += sorted(near, key=lambda record: abs(record[0] - time))[:1]
        return found


def usd_at(time):
    return f"{54_000 + time % 1_009}.{time % 997:03d}"


def every(seconds, first, count, offset=0):
    return [(first + offset + n * seconds, usd_at(first + offset + n * seconds)) for n in range(count)]


def as_usd(points):
    return [(point.valid_time, Decimal(point.price) / 10**8) for point in points]


def paths(server):
    return [request.url.path.split("/")[1] for request in server.requests]


def test_each_full_hour_has_the_record_of_its_last_half_hour_that_has_one():
    late, early = (FIRST - 600, "10.5"), (FIRST - 2_000, "9.5")
    server = DefiLlama([early, late, (FIRST + 1_700, "11.5"), (FIRST + 3_601, "12")])
    points = server.source().points(Span(FIRST, FIRST + 2 * HOUR_SECONDS), NOW)
    assert as_usd(points) == [(FIRST, Decimal("10.5")), (FIRST + HOUR_SECONDS, Decimal("11.5"))]
    assert {(point.source, point.asked_time) for point in points} == {("defillama", NOW)}


def test_a_record_from_after_the_hour_never_prices_it():
    server = DefiLlama([(FIRST - 3_000, "9"), (FIRST + 1, "99")])
    assert as_usd(server.source().points(Span(FIRST, FIRST + 1), NOW)) == [(FIRST, Decimal(9))]


def test_a_record_at_the_full_hour_itself_is_the_hours():
    server = DefiLlama([(FIRST, "9")])
    assert as_usd(server.source().points(Span(FIRST, FIRST + 1), NOW)) == [(FIRST, Decimal(9))]


def test_no_digit_of_an_answer_is_lost():
    server = DefiLlama([(FIRST - 10, "1.234567890123456789012345e-7")])
    (point,) = server.source(price_decimals=31).points(Span(FIRST, FIRST + 1), NOW)
    assert point.price == 1_234_567_890_123_456_789_012_345


def test_thirty_weeks_cost_twenty_one_calls():
    start = FIRST - 210 * DAY_SECONDS
    server = DefiLlama(every(HOUR_SECONDS, start, 210 * 24, offset=-1_000))
    points = server.source().points(Span(start, FIRST), NOW)
    assert [point.valid_time for point in points] == list(range(start, FIRST, HOUR_SECONDS))
    assert paths(server) == ["chart"] * 21


def test_hours_that_a_chart_leaves_out_are_asked_for_once_more():
    server = DefiLlama(every(HOUR_SECONDS, FIRST, 250, offset=-1_000))
    server.skips = {FIRST + n * HOUR_SECONDS - 899 for n in range(100)}
    points = server.source().points(Span(FIRST, FIRST + 250 * HOUR_SECONDS), NOW)
    assert len(points) == 250
    assert paths(server) == ["chart"] + ["batchHistorical"] * 4
    assert max(len(str(request.url)) for request in server.requests) < 2_000


def test_hours_without_a_record_are_left_out():
    server = DefiLlama(every(HOUR_SECONDS, FIRST, 3, offset=-1_000))
    points = server.source().points(Span(FIRST - 2 * HOUR_SECONDS, FIRST + 4 * HOUR_SECONDS), NOW)
    assert [point.valid_time for point in points] == [FIRST + n * HOUR_SECONDS for n in range(3)]
    assert paths(server) == ["chart", "batchHistorical"]


def test_a_known_coin_without_a_record_in_the_span_has_no_points():
    server = DefiLlama([(FIRST - 90 * DAY_SECONDS, "5")])
    assert server.source().points(Span(FIRST, FIRST + DAY_SECONDS), NOW) == []
    assert paths(server) == ["chart", "prices"]


def test_an_unknown_coin_is_invalid():
    server = DefiLlama([(FIRST - 10, "5")])
    with pytest.raises(Invalid, match="tBTC: DefiLlama knows no coin 'arbitrun:0x6c': write chain:address"):
        server.source("arbitrun:0x6c").points(Span(FIRST, FIRST + 1), NOW)
    assert paths(server) == ["chart", "prices"]


def test_an_answer_may_write_the_address_in_another_case():
    server = DefiLlama()
    server.failures = [
        httpx.Response(200, json={"coins": {COIN.lower(): {"prices": [{"timestamp": FIRST, "price": 2}]}}})
    ]
    assert as_usd(server.source().points(Span(FIRST, FIRST + 1), NOW)) == [(FIRST, Decimal(2))]


def test_another_coin_in_the_answer_prices_nothing():
    server = DefiLlama()
    other = {"coins": {"ethereum:0xother": {"prices": [{"timestamp": FIRST, "price": 2}]}}}
    server.failures = [httpx.Response(200, json=other), httpx.Response(200, json={"coins": {}})]
    with pytest.raises(Invalid, match="knows no coin"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)


def test_a_coin_cannot_reach_another_path():
    server = DefiLlama([(FIRST - 10, "5")])
    with pytest.raises(Invalid, match="knows no coin"):
        server.source("a:../../block?x=").points(Span(FIRST, FIRST + 1), NOW)
    assert server.requests[0].url.raw_path.startswith(b"/chart/a:..%2F..%2Fblock%3Fx%3D?")


@pytest.mark.parametrize("confidence", ["0.89", "0", "-1"])
def test_an_answer_of_low_confidence_is_refused_and_told(confidence):
    server = DefiLlama([(FIRST - 10, "5")], confidence=confidence)
    assert server.source().points(Span(FIRST, FIRST + 1), NOW) == []
    assert [(each.source, each.token, each.valid_time, each.reason) for each in server.refusals] == [
        ("defillama", "tBTC", FIRST, Reason.UNCERTAIN)
    ]
    assert server.refusals[0].detail == f"5 USD of 2026-07-31T23:59:50Z, confidence {confidence}"


def test_the_lowest_confidence_is_the_operators():
    server = DefiLlama([(FIRST - 10, "5")], confidence="0.5")
    assert len(server.source(lowest_confidence=Decimal("0.5")).points(Span(FIRST, FIRST + 1), NOW)) == 1


@pytest.mark.parametrize("price", ["0", "-5", "1e99"])
def test_a_nonsense_price_is_no_price_and_never_a_zero(price):
    server = DefiLlama([(FIRST - 10, price)])
    assert server.source().points(Span(FIRST, FIRST + 1), NOW) == []
    assert [each.reason for each in server.refusals] == [Reason.NO_PRICE]


def test_a_price_too_small_for_its_scale_is_refused_with_the_remedy():
    server = DefiLlama([(FIRST - 10, "0.000000123456")])
    with pytest.raises(Invalid, match=r"tBTC: DefiLlama's price at 2026-08-01T00:00:00Z: .* set price_decimals = 13"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)


def test_an_hour_is_not_read_before_it_has_settled():
    hour = NOW - NOW % HOUR_SECONDS
    server = DefiLlama([(hour - 10, "5")], now=hour + 1_799)
    assert server.source().points(Span(hour, hour + HOUR_SECONDS), hour + 1_799) == []
    assert server.requests == []
    assert len(server.source().points(Span(hour, hour + HOUR_SECONDS), hour + 1_800)) == 1


def test_a_limit_is_waited_out_as_long_as_asked():
    server = DefiLlama([(FIRST - 10, "5")])
    server.failures = [httpx.Response(429, headers={"Retry-After": "30"}), httpx.Response(429)]
    assert len(server.source().points(Span(FIRST, FIRST + 1), NOW)) == 1
    assert server.waits == [30, 10]


def test_a_limit_that_asks_for_too_long_is_left_to_the_next_turn():
    server = DefiLlama([(FIRST - 10, "5")])
    server.failures = [httpx.Response(429, headers={"Retry-After": "3600"})]
    with pytest.raises(Unavailable, match=r"tBTC: DefiLlama, asked for .*, limits calls for 3600 s; the next turn"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert (server.waits, len(server.requests)) == ([], 1)


def test_a_source_that_stays_away_is_given_up_after_four_attempts():
    server = DefiLlama()
    server.failures = [httpx.ConnectTimeout("x"), httpx.Response(503), httpx.ReadError("reset"), httpx.Response(502)]
    with pytest.raises(Unavailable, match=r"tBTC: DefiLlama, asked for .*, answered HTTP 502"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert (server.waits, len(server.requests)) == ([5, 10, 20], 4)


FAILURES = {
    "unreachable": (httpx.ConnectError("https://user:secret@host"), Unavailable, "could not be reached"),
    "refused": (
        httpx.Response(400, json={"message": "no coins queried"}),
        Invalid,
        "refused the question with HTTP 400",
    ),
    "not JSON": (httpx.Response(200, text="<html>"), Unavailable, "is no list of prices"),
    "not a chart": (httpx.Response(200, json={"status": "fine"}), Unavailable, "is no list of prices"),
    "no price": (httpx.Response(200, text='{"coins":{"a":{"prices":[{"timestamp":1}]}}}'), Unavailable, "no list"),
    "infinity": (
        httpx.Response(200, text='{"coins":{"a":{"prices":[{"timestamp":1,"price":Infinity}]}}}'),
        Unavailable,
        "is no list of prices",
    ),
    "cut short": (httpx.Response(200, text='{"coins":{"a":{"prices":[{"timesta'), Unavailable, "is no list of prices"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_says_what_and_which_and_no_address(name):
    failure, kind, message = FAILURES[name]
    server = DefiLlama()
    server.failures = [failure] * 4
    with pytest.raises(kind, match=message) as told:
        server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert str(told.value).startswith(f"tBTC: DefiLlama, asked for '{COIN}', ")
    assert "secret" not in str(told.value)
    assert "https:" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_failure_in_the_middle_of_a_span_gives_nothing_of_it():
    server = DefiLlama(every(HOUR_SECONDS, FIRST, 400, offset=-60))
    source = server.source()
    server.failures = [httpx.Response(200, json={"coins": {COIN: {"prices": []}}}), httpx.Response(400)]
    with pytest.raises(Invalid):
        source.points(Span(FIRST, FIRST + 400 * HOUR_SECONDS), NOW)


RECORDS = st.lists(st.integers(-3_600, 12 * HOUR_SECONDS), max_size=40, unique=True)


@settings(max_examples=40, deadline=None)
@given(RECORDS, st.lists(st.integers(0, 12 * HOUR_SECONDS), max_size=3))
def test_the_grid_is_the_same_live_and_later_however_the_span_is_cut(times, cuts):
    records = [(FIRST + time, usd_at(time)) for time in [*times, -100 * DAY_SECONDS]]
    span = Span(FIRST, FIRST + 12 * HOUR_SECONDS)
    later = DefiLlama(records).source().points(span, NOW)
    live = []
    for start, end in itertools.pairwise(sorted({span.start, span.end, *(FIRST + cut for cut in cuts)})):
        hour_end = -(-(end - 1) // HOUR_SECONDS) * HOUR_SECONDS + 1_800
        live += DefiLlama(records, now=hour_end).source().points(Span(start, end), hour_end)
    assert as_usd(live) == as_usd(later)
