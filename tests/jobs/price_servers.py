"""CoinGecko and DefiLlama as one transport that answers as documented, or fails as it is told, request by request."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import httpx

from loyalty.config import CoinGeckoPrice, DefiLlamaPrice, PriceSetting, Program, TokenSettings
from loyalty.core.facts import PricePoint
from loyalty.core.times import HOUR_SECONDS
from loyalty.jobs.price import Priced, price
from loyalty.jobs.pricing.price_sources import Asking, PriceSources, price_sources, remember
from loyalty.prices.merged import Merged
from loyalty.prices.refusal import Refusal
from tests.jobs.stage import Stage

COIN, LLAMA = "river", "chain:0xb0"
BOTH = (CoinGeckoPrice(COIN), DefiLlamaPrice(LLAMA))

FAILURES: dict[str, Callable[[], httpx.Response]] = {
    "limit": lambda: httpx.Response(429, headers={"Retry-After": "900"}),
    "down": lambda: httpx.Response(503),
    "refused key": lambda: httpx.Response(401, json={"status": {"error_code": 10002}}),
    "unknown coin": lambda: httpx.Response(404, json={"error": "coin not found"}),
    "garbage": lambda: httpx.Response(200, content=b"<html>"),
}
LIES = {"wild": 3.0, "zero": 0.0, "negative": -1.0}


def usd_at(time: int) -> float:
    """The market's price, another one each hour up to the full hour: both servers say the same."""
    return 1.5 + -(-time // HOUR_SECONDS) % 7 / 10


class PriceServers:
    """`moods` are what becomes of the next requests, in order: "fine", a failure, a lie, "unsure", "cut" or "empty"."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.moods: list[str] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        mood = self.moods.pop(0) if self.moods else "fine"
        self.asked.append(request.url.host)
        if mood == "cut":
            raise httpx.ConnectError("the connection was cut", request=request)
        if mood in FAILURES:
            return FAILURES[mood]()
        return self._gecko(request, mood) if "coingecko" in request.url.host else self._llama(request, mood)

    def _gecko(self, request: httpx.Request, mood: str) -> httpx.Response:
        start, end = int(request.url.params["from"]), min(int(request.url.params["to"]), self.now)
        times = range(-(-start // HOUR_SECONDS) * HOUR_SECONDS, end + 1, HOUR_SECONDS)
        return httpx.Response(200, json={"prices": [[t * 1_000, _told(t, mood)] for t in times if mood != "empty"]})

    def _llama(self, request: httpx.Request, mood: str) -> httpx.Response:
        kind, _, coin = request.url.path[1:].partition("/")
        asked, coin = request.url.params, unquote(coin)
        if kind == "prices":
            found = {"symbol": "B", "price": 1.5, "timestamp": 1_600_000_000}
            return httpx.Response(200, json={"coins": {LLAMA: found}})
        if kind == "chart":
            period = 60 * int(asked["period"].removesuffix("m"))
            times = [int(asked["start"]) + n * period for n in range(int(asked["span"]))]
        else:
            ((coin, times),) = json.loads(asked["coins"]).items()
        sure = 0.5 if mood == "unsure" else 0.99
        told = [{"timestamp": t, "price": _told(t, mood), "confidence": sure} for t in times if t <= self.now]
        if mood == "empty" or not told:
            return httpx.Response(200, json={"coins": {}})
        return httpx.Response(200, json={"coins": {coin: {"symbol": "B", "confidence": sure, "prices": told}}})


def _told(time: int, mood: str) -> float:
    return usd_at(time) * LIES.get(mood, 1.0)


def program_of(stage: Stage, prices: tuple[PriceSetting, ...], **limits: object) -> Program:
    """A program file's content in which the token B has these sources."""
    token = TokenSettings(stage.rules.tokens["B"], prices, **limits)  # type: ignore[arg-type]
    return Program(stage.rules, (), (), (token,), (), Path("program.toml"))


def turn(
    stage: Stage, program: Program, servers: PriceServers, merged: Merged[list[PricePoint]] | None = None
) -> tuple[Priced, list[Refusal]]:
    """A turn of the job, as the engine runs it; what it did for B, and the new refusals."""
    with httpx.Client(transport=httpx.MockTransport(servers)) as client:
        asking = Asking(client, None, lambda seconds: None, Merged() if merged is None else merged)
        sources: PriceSources = price_sources(stage.state, program, asking)
        (done,) = price(stage.state, stage.rules, sources.by_token, servers.now, None, sources.held)
    return done, remember(stage.state, sources, servers.now)
