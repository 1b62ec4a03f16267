"""One call to CoinGecko: keys, limits, retries, and answers read without floats."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec

from loyalty.core.errors import Invalid, LoyaltyError, Unavailable
from loyalty.core.spans import Span
from loyalty.prices.grid import Quote
from loyalty.prices.pace import Pace

Plan = Literal["public", "demo", "pro"]

_ROOTS: dict[Plan, str] = {
    "public": "https://api.coingecko.com/api/v3",
    "demo": "https://api.coingecko.com/api/v3",
    "pro": "https://pro-api.coingecko.com/api/v3",
}
SECONDS_BETWEEN_CALLS: dict[Plan, float] = {"public": 6.0, "demo": 2.0, "pro": 0.25}
_KEY_HEADERS: dict[Plan, str] = {"demo": "x-cg-demo-api-key", "pro": "x-cg-pro-api-key"}
_OLDER_THAN_PLAN = 10012
_ATTEMPTS = 4
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 60.0
"""A longer Retry-After is left to the price job's next turn: a job that sleeps holds up the others."""


@dataclass(frozen=True, slots=True)
class CoinGeckoKey:
    """An API key and the plan that it belongs to; the secret shows in no writing of the key."""

    plan: Literal["demo", "pro"]
    secret: str = field(repr=False)


class OlderThanPlan(Invalid):
    """CoinGecko's error 10012: the plan has no history that old."""


class _MarketChart(msgspec.Struct):
    prices: list[tuple[int, Decimal | None]]


class CoinGeckoApi:
    """Calls with `client`, whose timeouts and proxies are the caller's; `sleep` waits between attempts."""

    def __init__(
        self,
        client: httpx.Client,
        key: CoinGeckoKey | None = None,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        self.plan: Plan = key.plan if key else "public"
        self._client = client
        self._headers = {_KEY_HEADERS[key.plan]: key.secret} if key else {}
        self._sleep = sleep
        self._pace = pace or Pace(SECONDS_BETWEEN_CALLS[self.plan], sleep=sleep)

    def quotes(self, coin_id: str, window: Span) -> list[Quote]:
        """What market_chart/range says about the seconds from `window.start` up to and including `window.end`.

        Entries without a price are left out. Raises Invalid for an unknown coin, a refused key and OlderThanPlan,
        Unavailable where CoinGecko does not answer or answers nonsense.
        """
        parameters = {"vs_currency": "usd", "from": window.start, "to": window.end, "precision": "full"}
        answer = self._get(coin_id, parameters)
        try:
            chart = msgspec.json.decode(answer.content, type=_MarketChart)
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = "answered something that is no market chart; the next turn asks again"
            raise Unavailable(_told(coin_id, problem)) from None
        return [Quote(time_ms, usd) for time_ms, usd in chart.prices if usd is not None]

    def _get(self, coin_id: str, parameters: dict[str, Any]) -> httpx.Response:
        failure: LoyaltyError
        wait = _FIRST_WAIT
        for attempt in range(_ATTEMPTS):
            self._pace.wait()
            answer = self._attempt(coin_id, parameters)
            if isinstance(answer, httpx.Response) and answer.status_code == httpx.codes.OK:
                return answer
            failure, asked_wait = _failure(coin_id, self.plan, answer)
            if not isinstance(failure, Unavailable) or asked_wait > _LONGEST_WAIT or attempt == _ATTEMPTS - 1:
                break
            self._sleep(max(asked_wait, wait))
            wait = min(2 * wait, _LONGEST_WAIT)
        raise failure

    def _attempt(self, coin_id: str, parameters: dict[str, Any]) -> httpx.Response | httpx.RequestError:
        url = f"{_ROOTS[self.plan]}/coins/{quote(coin_id, safe='')}/market_chart/range"
        try:
            return self._client.get(url, params=parameters, headers=self._headers)
        except httpx.RequestError as error:
            return error


def _failure(coin_id: str, plan: Plan, answer: httpx.Response | httpx.RequestError) -> tuple[LoyaltyError, float]:
    """The failure that an answer stands for, and the seconds that CoinGecko asked to wait (0: it did not say)."""
    if isinstance(answer, httpx.RequestError):
        problem = f"could not be reached ({type(answer).__name__}); check the network"
        return Unavailable(_told(coin_id, problem)), 0.0
    status, code = answer.status_code, _error_code(answer)
    if code == _OLDER_THAN_PLAN:
        return OlderThanPlan(_told(coin_id, f"has no history that old on the {plan} plan")), 0.0
    if status == httpx.codes.NOT_FOUND:
        return Invalid(_told(coin_id, "knows no coin of this id; take the API id from the coin's page")), 0.0
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = _retry_after(answer)
        told = f" for {wait:g} s" if wait else ""
        return Unavailable(_told(coin_id, f"limits the {plan} plan's calls{told}; the next turn asks again")), wait
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Invalid(_told(coin_id, _refusal(plan, status, code))), 0.0
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return Unavailable(_told(coin_id, f"answered HTTP {status}; the next turn asks again")), _retry_after(answer)
    return Invalid(_told(coin_id, f"refused the question with HTTP {status} (error {code}); check the coin id")), 0.0


def _refusal(plan: Plan, status: int, code: int | None) -> str:
    remedy = "set an API key" if plan == "public" else "check the key and that it belongs to this plan"
    return f"refused the {plan} plan with HTTP {status} (error {code}); {remedy}"


def _told(coin_id: str, problem: str) -> str:
    return f"CoinGecko, asked for {coin_id!r}, {problem}"


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _error_code(answer: httpx.Response) -> int | None:
    """The number in {"error": {"status": {"error_code": …}}} or {"status": {"error_code": …}}; None without one."""
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for key in ("error", "status", "error_code"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    return said if isinstance(said, int) else None
