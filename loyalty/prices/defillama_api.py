"""Calls to DefiLlama's coins API, which needs no key: limits, retries, and answers read without floats.

Documented at https://api-docs.defillama.com (coins). A coin is `chain:address` or `coingecko:id`. Each sample of a
question is the record nearest to its time, if one lies within the search width on either side; samples without a record
are left out, and so is a coin without any. `confidence` is 0 to 1.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from loyalty.core.errors import Invalid, LoyaltyError, Unavailable
from loyalty.prices.pace import Pace

SECONDS_BETWEEN_CALLS = 0.5
MOST_SAMPLES = 500
"""A chart has at most so many points."""
MOST_TIMES = 60
"""Times in one batch question: they travel in the URL."""

_ROOT = "https://coins.llama.fi"
_ATTEMPTS = 4
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 60.0
"""A longer Retry-After is left to the price job's next turn: a job that sleeps holds up the others."""


class Sample(NamedTuple):
    """A record of DefiLlama: dollars per whole token at `time` (unix seconds); None where it states no confidence."""

    time: int
    usd: Decimal
    confidence: Decimal | None


class _Record(msgspec.Struct):
    timestamp: int
    price: Decimal
    confidence: Decimal | None = None


class _Coin(msgspec.Struct):
    prices: list[_Record]
    confidence: Decimal | None = None


class _Coins(msgspec.Struct):
    coins: dict[str, _Coin]


class _FirstRecords(msgspec.Struct):
    coins: dict[str, _Record]


Answer = TypeVar("Answer", _Coins, _FirstRecords)
_Parameters = dict[str, str | int]


class DefiLlamaApi:
    """Calls with `client`, whose timeouts and proxies are the caller's; `sleep` waits between attempts."""

    def __init__(
        self, client: httpx.Client, sleep: Callable[[float], None] = time.sleep, pace: Pace | None = None
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._pace = pace or Pace(SECONDS_BETWEEN_CALLS, sleep=sleep)

    def chart(self, coin: str, start: int, count: int, minutes: int, search_width: int) -> list[Sample]:
        """The records nearest to `count` (at most MOST_SAMPLES) times from `start` on, `minutes` apart.

        `search_width` is seconds on either side, here and below.
        Raises Unavailable where DefiLlama does not answer or answers nonsense, Invalid where it refuses the question.
        """
        parameters: _Parameters = {"start": start, "span": count, "period": f"{minutes}m", "searchWidth": search_width}
        answer = self._ask(coin, f"/chart/{_escaped(coin)}", parameters, _Coins)
        return _samples(answer, coin)

    def batch(self, coin: str, times: Sequence[int], search_width: int) -> list[Sample]:
        """The records nearest to each of `times` (at most MOST_TIMES); errors as of `chart`."""
        asked = msgspec.json.encode({coin: list(times)}).decode()
        parameters: _Parameters = {"coins": asked, "searchWidth": search_width}
        return _samples(self._ask(coin, "/batchHistorical", parameters, _Coins), coin)

    def knows(self, coin: str) -> bool:
        """Whether DefiLlama has any record of the coin; errors as of `chart`."""
        answer = self._ask(coin, f"/prices/first/{_escaped(coin)}", {}, _FirstRecords)
        return any(_same(name, coin) for name in answer.coins)

    def _ask(self, coin: str, path: str, parameters: _Parameters, kind: type[Answer]) -> Answer:
        content = self._get(coin, path, parameters)
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = "answered something that is no list of prices; the next turn asks again"
            raise Unavailable(_told(coin, problem)) from None

    def _get(self, coin: str, path: str, parameters: _Parameters) -> bytes:
        failure: LoyaltyError
        wait = _FIRST_WAIT
        for attempt in range(_ATTEMPTS):
            self._pace.wait()
            answer = self._attempt(path, parameters)
            if isinstance(answer, httpx.Response) and answer.status_code == httpx.codes.OK:
                return answer.content
            failure, asked_wait = _failure(coin, answer)
            if not isinstance(failure, Unavailable) or asked_wait > _LONGEST_WAIT or attempt == _ATTEMPTS - 1:
                break
            self._sleep(max(asked_wait, wait))
            wait = min(2 * wait, _LONGEST_WAIT)
        raise failure

    def _attempt(self, path: str, parameters: _Parameters) -> httpx.Response | httpx.RequestError:
        try:
            return self._client.get(f"{_ROOT}{path}", params=parameters)
        except httpx.RequestError as error:
            return error


def _escaped(coin: str) -> str:
    return quote(coin, safe=":")


def _samples(answer: _Coins, coin: str) -> list[Sample]:
    return [
        Sample(each.timestamp, each.price, each.confidence if each.confidence is not None else found.confidence)
        for name, found in answer.coins.items()
        if _same(name, coin)
        for each in found.prices
    ]


def _same(name: str, coin: str) -> bool:
    """Whether an answer's coin is the one that was asked for: answers may write an address in another case."""
    return name.lower() == coin.lower()


def _failure(coin: str, answer: httpx.Response | httpx.RequestError) -> tuple[LoyaltyError, float]:
    """The failure that an answer stands for, and the seconds that DefiLlama asked to wait (0: it did not say)."""
    if isinstance(answer, httpx.RequestError):
        problem = f"could not be reached ({type(answer).__name__}); check the network"
        return Unavailable(_told(coin, problem)), 0.0
    status, wait = answer.status_code, _retry_after(answer)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        told = f" for {wait:g} s" if wait else ""
        return Unavailable(_told(coin, f"limits calls{told}; the next turn asks again")), wait
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return Unavailable(_told(coin, f"answered HTTP {status}; the next turn asks again")), wait
    return Invalid(_told(coin, f"refused the question with HTTP {status}; check the coin, chain:address")), 0.0


def _told(coin: str, problem: str) -> str:
    return f"DefiLlama, asked for {coin!r}, {problem}"


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0
