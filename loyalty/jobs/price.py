"""Price: the points that the program needs and does not have are asked for and stored, once and for good."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.accrual.series import may_accept
from loyalty.chain.recording_format import RecordingFacts
from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span, subtract
from loyalty.core.times import HOUR_SECONDS, day_span
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.rules import rules_in_force
from loyalty.prices.choose import Asked, SourceFault, ask
from loyalty.prices.deviation import DeviationLimit, ask_within
from loyalty.prices.refusal import Refuse, log_refusal
from loyalty.prices.source import PriceSource
from loyalty.program.digest import priced_tokens
from loyalty.program.rules import Rules, Token
from loyalty.state import StateTransaction, days, epochs, pool_tokens, pools, prices, tokens
from loyalty.state.engine import State

GRID_SOURCES = frozenset({"coingecko", "defillama", "chainlink", "pool"})
"""Sources with a point each full hour; a fixed price and a file's rows are all known at once."""

_log = logging.getLogger(__name__)


class Held(NamedTuple):
    """How a token's sources are held: within `limit` of each other, and asked for no hour from `known_until` on.

    Up to there the chain is final and indexed that some of them read (None: none does). Whether they leave a later hour
    out nobody knows yet, so no other source stands in for them. What is refused is told to `refuse`.
    """

    limit: DeviationLimit | None = None
    known_until: int | None = None
    refuse: Refuse = log_refusal


class Priced(NamedTuple):
    """What a run did for one token: points stored, those refused as too late, hours still missing, faults."""

    token: str
    stored: int
    late: int
    missing: tuple[Span, ...]
    faults: tuple[SourceFault, ...]


def recorded_points(recordings: Sequence[RecordingFacts], rules: Rules, now: int) -> dict[str, tuple[PricePoint, ...]]:
    """By symbol the points that recordings carry, with the sources that they came from; others' tokens are left out.

    Raises Invalid where a point is at another scale than the program's.
    """
    found: dict[str, tuple[PricePoint, ...]] = {}
    for recorded in (each for recording in recordings for each in recording.prices if each.points):
        if (token := rules.tokens.get(recorded.symbol)) is None:
            continue
        scales = {point.decimals for point in recorded.points}
        if scales != {token.price_decimals}:
            raise Invalid(
                f"tokens[{token.symbol}].price_decimals is {token.price_decimals}, but the recording carries its "
                f"prices at {', '.join(map(str, sorted(scales)))}: set it to that"
            )
        found[token.symbol] = tuple(
            PricePoint(point.valid_time, point.price, point.source, now) for point in recorded.points
        )
    return found


def price(
    state: State,
    rules: Rules,
    sources: Mapping[str, Sequence[PriceSource]],
    now: int,
    recorded: Mapping[str, Sequence[PricePoint]] | None = None,
    held: Mapping[str, Held] | None = None,
) -> list[Priced]:
    """Ask for every token's missing points, from `max_age` before the program's start to its end, on the grid to `now`.

    Each token is a step of its own; one whose source fails disturbs no other. `recorded` points are taken as they are,
    and up to the last of them no source is asked: replayed, they give the digests that they gave before.
    """
    known = recorded or {}
    holds = held or {}
    return [
        _price_token(state, rules, rules.tokens[symbol], chosen, now, known.get(symbol, ()), holds.get(symbol, Held()))
        for symbol, chosen in sources.items()
        if chosen or symbol in known
    ]


def _price_token(
    state: State,
    rules: Rules,
    token: Token,
    sources: Sequence[PriceSource],
    now: int,
    recorded: Sequence[PricePoint],
    held: Held,
) -> Priced:
    whole = Span(rules.start - token.max_age, rules.end + 1)
    with state.read() as connection:
        token_id = tokens.ids(connection)[token.symbol]
        stored = prices.points(connection, token_id, whole)
    points: list[PricePoint] = list(recorded)
    missing: list[Span] = []
    faults: list[SourceFault] = []
    for span in _unreplayed(_spans_to_ask(whole, stored, sources, now, held.known_until), recorded):
        asked = _ask(sources, held, token, span, now)
        points += asked.points
        missing += asked.missing
        faults += asked.faults
    for fault in faults:
        _log.warning("price source failed token=%s source=%s error=%s", token.symbol, fault.source, fault.error)
    accepted, late = store_points(state, rules, token, points)
    return Priced(token.symbol, accepted, late, tuple(missing), tuple(faults))


def _ask(sources: Sequence[PriceSource], held: Held, token: Token, span: Span, now: int) -> Asked:
    if held.limit is None:
        return ask(sources, span, now)
    return ask_within(sources, held.limit, token.symbol, span, now, held.refuse)


def _spans_to_ask(
    whole: Span, stored: Sequence[PricePoint], sources: Sequence[PriceSource], now: int, known_until: int | None
) -> list[Span]:
    """Everything for sources that cost nothing to read; otherwise only the past hours without a point."""
    if known_until is None and all(source.name not in GRID_SOURCES for source in sources):
        return [Span(0, whole.end + HOUR_SECONDS)]
    end = now + 1 if known_until is None else min(now + 1, known_until)
    past = Span(whole.start, max(whole.start, min(whole.end, end)))
    hours = {point.valid_time // HOUR_SECONDS * HOUR_SECONDS for point in stored}
    return subtract(past, [Span(hour, hour + HOUR_SECONDS) for hour in hours])


def _unreplayed(spans: Sequence[Span], recorded: Sequence[PricePoint]) -> list[Span]:
    """What is left of `spans` after the hour of the last recorded point."""
    if not recorded:
        return list(spans)
    last = max(point.valid_time for point in recorded)
    replayed = Span(0, (last // HOUR_SECONDS + 1) * HOUR_SECONDS)
    return [left for span in spans for left in subtract(span, [replayed])]


def store_points(
    state: State, rules: Rules, token: Token, points: Sequence[PricePoint], reason: str | None = None
) -> tuple[int, int]:
    """`store_in`, as one step."""
    with StateTransaction(state, durable=True) as connection:
        return store_in(connection, rules, token, points, reason)


def store_in(
    connection: Connection, rules: Rules, token: Token, points: Sequence[PricePoint], reason: str | None = None
) -> tuple[int, int]:
    """Store the new ones of `points`; returns how many were stored, and how many came too late to be used.

    A stored point is never overwritten, and none is stored that would change the price of a second that a closed
    day or a settled epoch has used.
    """
    token_id = tokens.ids(connection)[token.symbol]
    existing = prices.points(connection, token_id, None)
    known = {point.valid_time for point in existing}
    new = [point for point in points if point.valid_time not in known]
    used = used_spans(connection, rules, token.symbol) if new else []
    accepted: list[PricePoint] = []
    for point in sorted(new, reverse=True):  # the later ones first: they end the influence of the earlier ones
        if not used or may_accept(point, sorted([*existing, *accepted]), used, token.max_age):
            accepted.append(point)
    prices.insert(connection, token_id, accepted, reason)
    return len(accepted), len(new) - len(accepted)


def used_spans(connection: Connection, rules: Rules, symbol: str) -> list[Span]:
    """The seconds whose price of the token can no longer change: of closed days with liquidity and of settled epochs.

    A settled epoch's digest names every point in force of the tokens of its own rules, on days without liquidity too.
    """
    closed = [
        day_span(day)
        for row in pools.all_pools(connection)
        if symbol in pool_tokens.symbols(connection, row)
        for day, pool_day in days.states(connection, row.id).items()
        if pool_day.status == CLOSED
    ]
    settled = [
        rules.epoch(number).span
        for number in range(1, epochs.settled_count(connection) + 1)
        if symbol in priced_tokens(rules_in_force(connection, number)[1])
    ]
    return sorted({*closed, *settled})
