import itertools
from decimal import Decimal

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, parse_time
from loyalty.prices.coingecko import CoinGeckoSource, window
from loyalty.prices.coingecko_api import CoinGeckoKey
from loyalty.prices.pace import Pace
from loyalty.prices.plan import BeyondPlan

NOW = parse_time("2026-09-09T12:30:00Z")
SECRET = "CG-hidden"


class CoinGecko:
    """Answers market_chart/range as documented: granularity by the window's length, 365 days of history, one coin."""

    def __init__(self, now=NOW, history_days=365):
        self.now = now
        self.history_days = history_days
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.failures: list[httpx.Response | Exception] = []

    def source(self, key=None, coin_id="tbtc", price_decimals=8):
        client = httpx.Client(transport=httpx.MockTransport(self))
        pace = Pace(0, clock=lambda: 0.0, sleep=self.waits.append)
        return CoinGeckoSource(coin_id, price_decimals, "tBTC", client, key, self.waits.append, pace)

    def __call__(self, request):
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        if not request.url.path.endswith("/coins/tbtc/market_chart/range"):
            return httpx.Response(404, json={"error": "coin not found"})
        start, end = int(request.url.params["from"]), int(request.url.params["to"])
        if start < self.now - self.history_days * DAY_SECONDS:
            return httpx.Response(401, json=TOO_OLD)
        return httpx.Response(200, content=chart(self._times(start, min(end, self.now))))

    def _times(self, start, end):
        step = 300 if end - start < 2 * DAY_SECONDS else HOUR_SECONDS
        step = DAY_SECONDS if end - start > 90 * DAY_SECONDS else step
        regular = [time + jitter(time) for time in range(start // step * step, end + 1, step)]
        return [time for time in regular if start <= time <= end] + ([end] if end == self.now else [])


TOO_OLD = {
    "error": {
        "status": {
            "timestamp": "2026-09-09T12:30:00.000+00:00",
            "error_code": 10012,
            "error_message": "Your request exceeds the allowed time range. Public API users are limited to …",
        }
    }
}


def jitter(time):
    """Points come some seconds or minutes after the full hour."""
    return time // 300 * 7_919 % 290


def usd_at(time):
    return Decimal(54_000) + Decimal(time % 100_003) / 1_000


def chart(times, prices=None):
    pairs = ",".join(f"[{time * 1000 + 123},{(prices or {}).get(time, usd_at(time))}]" for time in times)
    return f'{{"prices":[{pairs}],"market_caps":[],"total_volumes":[]}}'.encode()


def hourly(first, count):
    return [
        (first + n * HOUR_SECONDS, usd_at(first + (n - 1) * HOUR_SECONDS + jitter(first + (n - 1) * HOUR_SECONDS)))
        for n in range(count)
    ]


def as_usd(points):
    return [(point.valid_time, Decimal(point.price) / 10**8) for point in points]


FIRST = parse_time("2026-08-01T00:00:00Z")


def test_each_full_hour_has_the_last_point_before_it():
    points = CoinGecko().source().points(Span(FIRST, FIRST + 5 * HOUR_SECONDS), NOW)
    assert as_usd(points) == hourly(FIRST, 5)
    assert {(point.source, point.asked_time) for point in points} == {("coingecko", NOW)}


def test_no_digit_of_an_answer_is_lost():
    server = CoinGecko()
    times = [FIRST - 10]
    server.failures = [httpx.Response(200, content=chart(times, {FIRST - 10: "1.234567890123456789012345e-7"}))]
    (point,) = server.source(price_decimals=31).points(Span(FIRST, FIRST + 1), NOW)
    assert point.price == 1_234_567_890_123_456_789_012_345


def test_windows_are_two_to_ninety_days_so_that_points_are_hourly():
    server = CoinGecko(history_days=10_000)
    key = CoinGeckoKey("pro", SECRET)
    points = server.source(key).points(Span(FIRST - 300 * DAY_SECONDS, FIRST), NOW)
    assert [point.valid_time for point in points] == list(range(FIRST - 300 * DAY_SECONDS, FIRST, HOUR_SECONDS))
    lengths = [int(r.url.params["to"]) - int(r.url.params["from"]) for r in server.requests]
    assert len(lengths) == 4
    assert all(2 * DAY_SECONDS <= length <= 90 * DAY_SECONDS for length in lengths)


def test_an_hour_read_live_is_the_hour_read_later():
    hours = Span(NOW - NOW % HOUR_SECONDS, NOW)
    live = CoinGecko().source().points(hours, NOW)
    later = CoinGecko(now=NOW + 30 * DAY_SECONDS).source().points(hours, NOW + 30 * DAY_SECONDS)
    assert as_usd(live) == as_usd(later)
    assert len(live) == 1


def test_an_hour_is_not_read_before_it_has_settled():
    hour = NOW - NOW % HOUR_SECONDS
    server = CoinGecko(now=hour + 599)
    assert server.source().points(Span(hour, hour + HOUR_SECONDS), hour + 599) == []
    assert server.requests == []
    server.now = hour + 600
    assert len(server.source().points(Span(hour, hour + HOUR_SECONDS), hour + 600)) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 130 * 24), st.integers(0, HOUR_SECONDS), st.lists(st.integers(0, 130 * DAY_SECONDS), max_size=4))
def test_the_grid_is_the_same_however_the_span_is_cut(hours, offset, cuts):
    span = Span(NOW - 140 * DAY_SECONDS + offset, NOW - 140 * DAY_SECONDS + offset + hours * HOUR_SECONDS)
    ends = sorted({span.start, span.end} | {span.start + cut for cut in cuts if span.start + cut < span.end})
    whole = CoinGecko().source().points(span, NOW)
    parts = [CoinGecko().source().points(Span(a, b), NOW) for a, b in itertools.pairwise(ends)]
    assert [point for part in parts for point in part] == whole
    assert len(whole) == hours


def test_a_window_is_lengthened_towards_now_first_to_stay_inside_the_plan():
    assert window(Span(FIRST, FIRST + 1), NOW) == Span(FIRST - HOUR_SECONDS, FIRST - HOUR_SECONDS + 2 * DAY_SECONDS)
    hour = NOW - NOW % HOUR_SECONDS
    assert window(Span(hour, hour + HOUR_SECONDS), NOW) == Span(NOW - 2 * DAY_SECONDS, NOW)


def test_older_than_the_plan_is_an_error_that_names_the_plan_and_what_can_be_had():
    server = CoinGecko()
    with pytest.raises(BeyondPlan, match=r"tBTC: CoinGecko's public plan has 365 days of history, .* is older") as told:
        server.source().points(Span(NOW - 400 * DAY_SECONDS, NOW), NOW)
    assert server.requests == []
    assert "second source" in str(told.value)
    rest = server.source().points(Span(told.value.since, NOW), NOW)
    assert rest[0].valid_time == told.value.since


def test_a_plan_with_less_history_than_we_know_of_is_named_too():
    server = CoinGecko(history_days=30)
    span = Span(FIRST, FIRST + HOUR_SECONDS)
    with pytest.raises(BeyondPlan, match="no history that old on the pro plan") as told:
        server.source(CoinGeckoKey("pro", SECRET)).points(span, NOW)
    assert told.value.since == span.end
    assert len(server.requests) == 1


def test_an_unknown_coin_is_invalid_and_not_asked_twice():
    server = CoinGecko()
    with pytest.raises(Invalid, match="tBTC: CoinGecko, asked for 'tbct', knows no coin of this id"):
        server.source(coin_id="tbct").points(Span(FIRST, FIRST + 1), NOW)
    assert len(server.requests) == 1


def test_a_coin_id_cannot_reach_another_path():
    server = CoinGecko()
    with pytest.raises(Invalid, match="knows no coin"):
        server.source(coin_id="../ping?x=").points(Span(FIRST, FIRST + 1), NOW)
    assert server.requests[0].url.raw_path.startswith(b"/api/v3/coins/..%2Fping%3Fx%3D/market_chart/range?")


@pytest.mark.parametrize(
    ("plan", "host", "header"),
    [("demo", "api.coingecko.com", "x-cg-demo-api-key"), ("pro", "pro-api.coingecko.com", "x-cg-pro-api-key")],
)
def test_a_key_goes_into_its_plans_header_and_nowhere_else(plan, host, header):
    server = CoinGecko()
    key = CoinGeckoKey(plan, SECRET)
    server.source(key).points(Span(FIRST, FIRST + 1), NOW)
    (request,) = server.requests
    assert request.headers[header] == SECRET
    assert request.url.host == host
    assert SECRET not in str(request.url)
    assert SECRET not in repr(key) + str(key)


def limited(seconds):
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return httpx.Response(429, headers=headers, json={"status": {"error_code": 429, "error_message": "exceeded"}})


def test_a_limit_is_waited_out_as_long_as_asked():
    server = CoinGecko()
    server.failures = [limited(30), limited(None)]
    assert len(server.source().points(Span(FIRST, FIRST + 1), NOW)) == 1
    assert server.waits == [30, 10]


def test_a_limit_that_asks_for_too_long_is_left_to_the_next_turn():
    server = CoinGecko()
    server.failures = [limited(3_600)]
    with pytest.raises(Unavailable, match="limits the public plan's calls for 3600 s; the next turn asks again"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert server.waits == []
    assert len(server.requests) == 1


def test_a_source_that_stays_away_is_given_up_after_four_attempts():
    server = CoinGecko()
    server.failures = [
        httpx.ConnectTimeout("https://api.coingecko.com/secret"),
        httpx.Response(503),
        httpx.ReadError("reset"),
        httpx.Response(502, text="<html>"),
    ]
    with pytest.raises(Unavailable, match="tBTC: CoinGecko, asked for 'tbtc', answered HTTP 502"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert server.waits == [5, 10, 20]
    assert len(server.requests) == 4


FAILURES = {
    "unreachable": (httpx.ConnectError("https://user:CG-hidden@host"), Unavailable, "could not be reached"),
    "wrong key": (
        httpx.Response(401, json={"status": {"error_code": 10002, "error_message": "API Key Missing"}}),
        Invalid,
        r"refused the demo plan with HTTP 401 \(error 10002\); check the key",
    ),
    "another plan's endpoint": (
        httpx.Response(400, json={"error_code": 10010, "status": {"error_code": 10010}}),
        Invalid,
        r"refused the question with HTTP 400 \(error 10010\)",
    ),
    "blocked": (httpx.Response(403, text="error code: 1020"), Invalid, "HTTP 403"),
    "not JSON": (httpx.Response(200, text="<html>"), Unavailable, "is no market chart"),
    "not a chart": (httpx.Response(200, json={"status": "fine"}), Unavailable, "is no market chart"),
    "infinity": (httpx.Response(200, text='{"prices":[[1,Infinity]]}'), Unavailable, "is no market chart"),
    "cut short": (httpx.Response(200, content=chart([FIRST - 10])[:-20]), Unavailable, "is no market chart"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_says_what_and_which_and_no_secret(name):
    failure, kind, message = FAILURES[name]
    server = CoinGecko()
    server.failures = [failure] * 4
    with pytest.raises(kind, match=message) as told:
        server.source(CoinGeckoKey("demo", SECRET)).points(Span(FIRST, FIRST + 1), NOW)
    assert str(told.value).startswith("tBTC: CoinGecko, asked for 'tbtc', ")
    assert SECRET not in str(told.value)
    assert "http:" not in str(told.value)
    assert "https:" not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize("nonsense", ["0", "-5", "1e99", "null"])
def test_a_nonsense_price_is_no_price_and_never_a_zero(nonsense, caplog):
    server = CoinGecko()
    good, bad = FIRST - 10, FIRST + HOUR_SECONDS - 10
    server.failures = [httpx.Response(200, content=chart([good, bad], {bad: nonsense}))]
    (point,) = server.source().points(Span(FIRST, FIRST + 2 * HOUR_SECONDS), NOW)
    assert point.valid_time == FIRST
    assert ("price refused source=coingecko token=tBTC" in caplog.text) is (nonsense != "null")


def test_a_price_too_small_for_its_scale_is_refused_with_the_remedy():
    server = CoinGecko()
    server.failures = [httpx.Response(200, content=chart([FIRST - 10], {FIRST - 10: "0.000000123456"}))]
    with pytest.raises(Invalid, match=r"tBTC: CoinGecko's price at 2026-08-01T00:00:00Z: .* set price_decimals = 13"):
        server.source().points(Span(FIRST, FIRST + 1), NOW)


def test_the_documented_answer_shape_is_read():
    answer = {
        "prices": [[(FIRST - 3_000) * 1_000, 69_702.308_983_602_4], [(FIRST - 100) * 1_000, 69_800]],
        "market_caps": [[(FIRST - 3_000) * 1_000, 1_370_247_487_960.09]],
        "total_volumes": [[(FIRST - 3_000) * 1_000, 16_408_802_301.83]],
    }
    server = CoinGecko()
    server.failures = [httpx.Response(200, content=msgspec.json.encode(answer))]
    (point,) = server.source().points(Span(FIRST, FIRST + 1), NOW)
    assert point.price == 69_800 * 10**8
