import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert

from loyalty.core.errors import Invalid, LoyaltyError, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.deviation import DeviationLimit, ask_within, deviates, refused
from loyalty.prices.fixed import FixedSource
from loyalty.prices.plan import BeyondPlan
from loyalty.prices.refusal import Reason
from loyalty.state import prices
from loyalty.state.schema import metadata, tokens

HOUR = 3_600
FIVE_PERCENT = 50_000


class Table:
    """A source with the given prices by hour, or that fails."""

    def __init__(self, name: str, by_hour: dict[int, int], error: LoyaltyError | None = None) -> None:
        self.name = name
        self.asked: list[Span] = []
        self.by_hour = by_hour
        self.error = error

    def points(self, span: Span, now: int) -> list[PricePoint]:
        self.asked.append(span)
        if self.error and not (isinstance(self.error, BeyondPlan) and span.start >= self.error.since):
            raise self.error
        return [
            PricePoint(hour * HOUR, price, self.name, now)
            for hour, price in sorted(self.by_hour.items())
            if span.contains(hour * HOUR)
        ]


def within(sources, hours, references=None, ppm=FIVE_PERCENT):
    refusals = []
    limit = DeviationLimit(ppm, references or sources)
    asked = ask_within(sources, limit, "tBTC", Span(0, hours * HOUR), 7, refusals.append)
    return asked, refusals


def chosen(asked):
    return [(point.valid_time // HOUR, point.price, point.source) for point in asked.points]


def told(refusals):
    return [(each.source, each.valid_time // HOUR, each.reason) for each in refusals]


def test_the_limit_is_a_part_of_the_references_price_and_itself_allowed():
    assert [deviates(price, 1_000, FIVE_PERCENT) for price in (949, 950, 1_050, 1_051)] == [True, False, False, True]
    assert not deviates(10**30, 10**30, 1)
    assert deviates(10**30 + 10**24 + 1, 10**30, 1)


def test_an_answer_that_a_reference_confirms_is_taken():
    first, second = Table("chainlink", {0: 100, 1: 101}), Table("coingecko", {0: 104, 1: 99})
    asked, refusals = within([first, second], 2)
    assert chosen(asked) == [(0, 100, "chainlink"), (1, 101, "chainlink")]
    assert refusals == []


def test_a_wild_answer_is_refused_and_the_next_source_asked():
    sources = [Table("chainlink", {0: 100, 1: 500}), Table("coingecko", {0: 100, 1: 101}), Table("defillama", {1: 100})]
    asked, refusals = within(sources, 2)
    assert chosen(asked) == [(0, 100, "chainlink"), (1, 101, "coingecko")]
    assert told(refusals) == [("chainlink", 1, Reason.DEVIATES)]
    assert refusals[0].detail == "500, and the nearest reference coingecko says 101; limit 50000 ppm"


def test_two_sources_that_disagree_price_nothing_until_a_third_one_confirms():
    sources = [Table("chainlink", {0: 100}), Table("coingecko", {0: 200})]
    asked, refusals = within(sources, 1)
    assert (asked.points, asked.missing) == ([], [Span(0, HOUR)])
    assert told(refusals) == [("chainlink", 0, Reason.DEVIATES), ("coingecko", 0, Reason.DEVIATES)]
    asked, _ = within([*sources, Table("defillama", {0: 201})], 1)
    assert chosen(asked) == [(0, 200, "coingecko")]


def test_an_answer_with_nothing_to_compare_it_with_is_refused_as_unconfirmed():
    sources = [Table("chainlink", {0: 100}), Table("coingecko", {})]
    asked, refusals = within(sources, 1)
    assert asked.missing == [Span(0, HOUR)]
    assert told(refusals) == [("chainlink", 0, Reason.UNCONFIRMED)]


def test_a_reference_that_fails_confirms_nothing_and_is_told():
    failure = Unavailable("down")
    asked, refusals = within([Table("chainlink", {0: 100})], 1, [Table("coingecko", {0: 100}, failure)])
    assert told(refusals) == [("chainlink", 0, Reason.UNCONFIRMED)]
    assert [(fault.source, fault.error) for fault in asked.faults] == [("coingecko", failure)]


def test_a_reference_confirms_the_part_that_its_plan_gives():
    reference = Table("coingecko", {0: 100, 1: 100}, BeyondPlan("too old", HOUR))
    asked, refusals = within([Table("chainlink", {0: 100, 1: 100})], 2, [reference])
    assert chosen(asked) == [(1, 100, "chainlink")]
    assert told(refusals) == [("chainlink", 0, Reason.UNCONFIRMED)]


def test_a_source_never_confirms_itself():
    alone = Table("chainlink", {0: 100})
    with pytest.raises(Invalid, match=r"tBTC: a deviation limit .* needs another source to compare chainlink with"):
        within([alone], 1, [alone])


def test_a_second_reference_is_asked_only_for_what_the_first_left_open():
    first, second = Table("coingecko", {0: 100, 1: 999, 2: 100}), Table("defillama", {1: 100})
    asked, _ = within([Table("chainlink", {0: 100, 1: 100, 2: 100})], 3, [first, second])
    assert [hour for hour, _, _ in chosen(asked)] == [0, 1, 2]
    assert (first.asked, second.asked) == ([Span(0, 3 * HOUR)], [Span(HOUR, 2 * HOUR)])


def test_a_fixed_reference_stands_for_every_hour():
    asked, refusals = within([Table("coingecko", {5: 99, 6: 94})], 7, [FixedSource(100)])
    assert chosen(asked) == [(5, 99, "coingecko")]
    assert told(refusals) == [("coingecko", 6, Reason.DEVIATES)]


def test_what_the_operator_wrote_is_believed():
    wild = Table("coingecko", {0: 500, 1: 100})
    asked, _ = within([wild, Table("file", {0: 7}), FixedSource(100)], 2, [Table("defillama", {0: 100, 1: 100})])
    assert chosen(asked) == [(0, 7, "file"), (1, 100, "coingecko")]


def test_a_point_is_refused_with_its_reason_as_data():
    point = PricePoint(HOUR, 100, "pool", 0)
    assert refused(point, [PricePoint(HOUR, 104, "coingecko", 0)], "tBTC", FIVE_PERCENT) is None
    refusal = refused(point, [], "tBTC", FIVE_PERCENT)
    assert refusal == ("pool", "tBTC", HOUR, Reason.UNCONFIRMED, "100, and no reference has a price of this hour")


TOKEN = {"id": 1, "symbol": "tBTC", "chain_id": 0, "decimals": 18, "price_decimals": 8}
HOURS = 6
TRUTH = 1_000_000
HONEST = st.fixed_dictionaries({}, optional={hour: st.integers(990_000, 1_010_000) for hour in range(HOURS)})
WILD = st.fixed_dictionaries({}, optional={hour: st.integers(1, 3_000_000) for hour in range(HOURS)})
FAILURE = st.sampled_from(
    [
        None,
        None,
        Unavailable("down"),
        Invalid("refused"),
        BeyondPlan("too old", 3 * HOUR),
        BeyondPlan("none", 99 * HOUR),
    ]
)
TURN = st.tuples(HONEST, WILD, FAILURE, FAILURE, st.integers(0, HOURS - 1), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(TURN, min_size=1, max_size=6))
def test_no_sequence_of_failures_changes_a_stored_price_or_lets_one_through_outside_the_limit(turns):
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(insert(tokens), TOKEN)
        held: list[PricePoint] = []
        for now, (honest, wild, honest_fault, wild_fault, start, wild_first) in enumerate(turns):
            sources = [Table("coingecko", honest, honest_fault), Table("defillama", wild, wild_fault)]
            if wild_first:
                sources.reverse()
            asked = ask_within(
                sources,
                DeviationLimit(FIVE_PERCENT, sources),
                "tBTC",
                Span(start * HOUR, HOURS * HOUR),
                now,
                lambda refusal: None,
            )
            prices.insert(connection, 1, asked.points)
            stored = prices.points(connection, 1)
            assert set(held) <= set(stored)
            assert all(not deviates(point.price, TRUTH, 63_000) for point in stored)
            assert all(
                any(part.contains(point.valid_time) for part in asked.missing) is False for point in asked.points
            )
            held = stored
    engine.dispose()
