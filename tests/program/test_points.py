"""Points: what each holder gets for a round or a day, why, and in which place that puts them."""

from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.amounts import INT63_MAX, Overflow, format_units, parse_units
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import VaultEvent
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS
from loyalty.program.points import (
    Place,
    PointsRule,
    RoundHoldings,
    RoundPoints,
    ShareScale,
    leaderboard,
    points_of_days,
    points_of_round,
    points_text,
    total_points,
    unstaked_in,
)
from loyalty.program.rules import Exclusion, PoolKey
from loyalty.protocols.vaults.stream_vault.adapter import SpanFacts, read_span
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from tests.protocols.vaults.simulation import VAULT, Chain, StreamVault

ALICE, BOB, CAROL, DAVE = (Address("0x" + letter * 40) for letter in "abcd")
NAMES = {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE}
POOL, SECOND_POOL = PoolKey(1, VAULT), PoolKey(42161, Address("0x" + "2" * 40))
SCALE = ShareScale(6, 6, 8)
ONE, DOLLAR = 10**6, 10**8
START = 20_000 * DAY_SECONDS + 3600
DOCUMENT = Path(__file__).parents[2] / "docs" / "points.md"


def _rule(per_round: str = "1", *, pool: PoolKey = POOL, require_no_unstake: bool = True) -> PointsRule:
    return PointsRule("droplets", {pool: Fraction(per_round)}, {}, require_no_unstake)


def _held(shares: Mapping[Address, int], **changes: Any) -> RoundHoldings:
    """Round 3, which began an hour into day 20,000: a share is worth 1.05 of an asset of one dollar."""
    return RoundHoldings(POOL, 3, START, shares, 1_050_000, DOLLAR, SCALE, ())._replace(**changes)


def _points(lines: list[RoundPoints]) -> dict[Address, int]:
    return {line.address: line.points_micro for line in lines}


# A round -------------------------------------------------------------------------------------------------------------


def test_points_are_the_dollars_of_the_shares_times_the_rate() -> None:
    lines = points_of_round(_rule("2.5"), _held({BOB: 7 * ONE, ALICE: 100 * ONE}))
    assert [(line.address, line.usd_micro, line.points_micro) for line in lines] == [
        (ALICE, 105_000_000, 262_500_000),
        (BOB, 7_350_000, 18_375_000),
    ]


def test_points_are_rounded_once_and_down() -> None:
    """3 units at 1.05 are 3.15 micro-dollars; at 2 points a dollar 6.3 micro-points, not 2 x 3."""
    (line,) = points_of_round(_rule("2"), _held({ALICE: 3}))
    assert (line.usd_micro, line.points_micro) == (3, 6)
    (line,) = points_of_round(_rule("20"), _held({ALICE: 3}))
    assert (line.usd_micro, line.points_micro) == (3, 63)


def test_decimals_of_share_asset_and_price_are_each_their_own() -> None:
    """12 shares of 18 decimals at 2.5 of an asset of 8 decimals at 60,000 dollars with 2 decimals."""
    held = _held({ALICE: 12 * 10**18}, price_per_share=250_000_000, price=6_000_000, scale=ShareScale(18, 8, 2))
    (line,) = points_of_round(_rule("0.001"), held)
    assert (line.usd_micro, line.points_micro) == (1_800_000 * ONE, 1_800 * ONE)


def test_who_unstaked_in_the_round_gets_none_and_is_told_why() -> None:
    held = _held({ALICE: 100 * ONE, BOB: 10 * ONE}, unstaked=[BOB, CAROL])
    lines = points_of_round(_rule(), held)
    assert [(line.address, line.points_micro, line.reason) for line in lines] == [
        (ALICE, 105 * ONE, None),
        (BOB, 0, "unstaked"),
    ]


def test_unstaking_costs_nothing_where_the_rule_does_not_ask() -> None:
    held = _held({BOB: 10 * ONE}, unstaked=[BOB])
    assert _points(points_of_round(_rule(require_no_unstake=False), held)) == {BOB: 10_500_000}


def test_each_pool_has_its_own_rate_and_a_pool_without_one_has_no_points() -> None:
    rule = PointsRule("droplets", {POOL: Fraction(1), SECOND_POOL: Fraction(3, 2)}, {})
    assert _points(points_of_round(rule, _held({ALICE: ONE}))) == {ALICE: 1_050_000}
    assert _points(points_of_round(rule, _held({ALICE: ONE}, pool=SECOND_POOL))) == {ALICE: 1_575_000}
    assert points_of_round(rule, _held({ALICE: ONE}, pool=PoolKey(5, VAULT))) == []


@pytest.mark.parametrize(
    ("from_day", "until_day", "reason"),
    [
        (None, None, "excluded"),
        (20_000, None, "excluded"),
        (20_001, None, None),
        (None, 20_001, "excluded"),
        (None, 20_000, None),
        (19_000, 20_000, None),
        (19_000, 20_001, "excluded"),
    ],
)
def test_an_exclusion_counts_on_the_day_in_which_the_round_begins(
    from_day: int | None, until_day: int | None, reason: str | None
) -> None:
    exclusion = Exclusion(ALICE, "treasury", from_day, until_day)
    alice, bob = points_of_round(_rule(), _held({ALICE: ONE, BOB: ONE}), [exclusion])
    assert (alice.reason, alice.points_micro) == (reason, 0 if reason else 1_050_000)
    assert (bob.reason, bob.points_micro) == (None, 1_050_000)


def test_who_is_excluded_and_unstaked_is_excluded() -> None:
    held = _held({ALICE: ONE}, unstaked=[ALICE])
    (line,) = points_of_round(_rule(), held, [Exclusion(ALICE, "treasury", None, None)])
    assert line.reason == "excluded"


@pytest.mark.parametrize("changes", [{"price": 0}, {"price": -1}, {"price_per_share": -1}])
def test_a_round_without_a_price_has_no_points_yet(changes: dict[str, int]) -> None:
    with pytest.raises(Invalid, match=r"points 'droplets', round 3 of 0xfa.* give the round a price first"):
        points_of_round(_rule(), _held({ALICE: ONE}, **changes))


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match=r"the rate of 0xfa.* is 0, a rate is above zero"):
        points_of_round(_rule("0"), _held({ALICE: ONE}))


def test_points_that_do_not_fit_63_bits_are_refused() -> None:
    largest = _held({ALICE: INT63_MAX}, price_per_share=ONE)
    assert _points(points_of_round(_rule(), largest)) == {ALICE: INT63_MAX}
    with pytest.raises(Overflow, match=str(INT63_MAX + 1)):
        points_of_round(_rule(), _held({ALICE: INT63_MAX + 1}, price_per_share=ONE))


def _event(kind: str, account: Address, number: int) -> VaultEvent:
    return VaultEvent(VAULT, 9, 0, START, kind, account, 5, number, b"")


def test_an_instant_unstake_or_an_unstake_of_another_round_is_none_of_this_round() -> None:
    events = [
        _event("unstake", ALICE, 3),
        _event("instant_unstake", BOB, 3),
        _event("redeem", BOB, 3),
        _event("unstake", CAROL, 2),
        _event("unstake", DAVE, 4),
    ]
    assert unstaked_in(events, 3) == {ALICE}


shares_of = st.dictionaries(st.sampled_from((ALICE, BOB, CAROL, DAVE)), st.integers(0, 10**30))


@given(
    shares_of,
    st.integers(0, 10**20),
    st.integers(1, 10**14),
    st.fractions(Fraction(1, 10**6), 10**3),
    st.tuples(st.integers(0, 24), st.integers(0, 24), st.integers(0, 18)),
    st.sets(st.sampled_from((ALICE, BOB))),
)
@settings(max_examples=120, deadline=None)
def test_every_line_is_what_a_spreadsheet_of_exact_fractions_says(
    shares: dict[Address, int],
    price_per_share: int,
    price: int,
    rate: Fraction,
    decimals: tuple[int, int, int],
    unstaked: Collection[Address],
) -> None:
    held = _held(shares, price_per_share=price_per_share, price=price, scale=ShareScale(*decimals), unstaked=unstaked)
    usd = {
        who: Fraction(units, 10 ** decimals[0])
        * Fraction(price_per_share, 10 ** decimals[1])
        * Fraction(price, 10 ** decimals[2])
        for who, units in shares.items()
        if units
    }
    exact = {who: dollars * rate * (who not in unstaked) for who, dollars in usd.items()}
    if any(10**6 * value >= INT63_MAX + 1 for value in (*usd.values(), *exact.values())):
        with pytest.raises(Overflow):
            points_of_round(PointsRule("droplets", {POOL: rate}, {}), held)
        return
    lines = points_of_round(PointsRule("droplets", {POOL: rate}, {}), held)
    assert [line.address for line in lines] == sorted(exact)
    for line in lines:
        assert 0 <= 10**6 * exact[line.address] - line.points_micro < 1
        assert 0 <= 10**6 * usd[line.address] - line.usd_micro < 1


# Days, sums, places --------------------------------------------------------------------------------------------------


def test_points_by_the_day_are_dollar_days_times_the_rate(program: Any) -> None:
    rule = PointsRule("droplets", {}, {program.pool: Fraction("0.75")})
    cells = [
        program.cell(ALICE, 20_000, 100),
        program.cell(ALICE, 20_001, 100)._replace(usd_micro_days=3),
        program.cell(BOB, 20_000, 50),
        program.cell(CAROL, 20_000, 50, pool=program.second_pool),
        program.cell(DAVE, 20_000, 0),
    ]
    lines = points_of_days(rule, cells, [Exclusion(BOB, "treasury", 20_000, 20_001)])
    assert [(line.address, line.day, line.points_micro, line.reason) for line in lines] == [
        (ALICE, 20_000, 75 * ONE, None),
        (ALICE, 20_001, 2, None),
        (BOB, 20_000, 0, "excluded"),
    ]


def test_only_liquidity_in_range_counts_where_the_rule_says_so(program: Any) -> None:
    rule = PointsRule("droplets", {}, {program.pool: Fraction(1)}, count="in_range")
    cells = [program.cell(ALICE, 20_000, 100, in_range=40), program.cell(BOB, 20_000, 100, in_range=0)]
    assert [(line.address, line.points_micro) for line in points_of_days(rule, cells)] == [(ALICE, 40 * ONE)]


def test_lines_of_rounds_and_days_add_up(program: Any) -> None:
    rule = PointsRule("droplets", {POOL: Fraction(1)}, {program.pool: Fraction(1)})
    rounds = points_of_round(rule, _held({ALICE: ONE, BOB: ONE}, unstaked=[BOB]))
    rounds += points_of_round(rule, _held({ALICE: ONE}, round=4))
    days = points_of_days(rule, [program.cell(ALICE, 3, 2), program.cell(ALICE, 4, 2), program.cell(CAROL, 3, 1)])
    assert total_points([*rounds, *days]) == {ALICE: 6_100_000, CAROL: 1_000_000}


def test_a_line_that_stands_twice_is_refused() -> None:
    lines = points_of_round(_rule(), _held({ALICE: ONE}))
    with pytest.raises(Inconsistent, match=r"round 3 of 0xfa.*: the points of 0xaa.* stand twice"):
        total_points([*lines, *lines])


def test_the_leaderboard_has_the_most_points_first_and_ties_by_address() -> None:
    assert leaderboard({DAVE: 5, CAROL: 7, ALICE: 5, BOB: 9, Address("0x" + "e" * 40): 0}) == [
        Place(1, BOB, 9),
        Place(2, CAROL, 7),
        Place(3, ALICE, 5),
        Place(3, DAVE, 5),
    ]
    assert [place.rank for place in leaderboard({ALICE: 2, BOB: 2, CAROL: 1})] == [1, 1, 3]
    assert leaderboard({}) == []


def test_a_line_says_how_its_points_follow(program: Any) -> None:
    alice, bob = points_of_round(_rule("1.5"), _held({ALICE: 12_500_000, BOB: ONE}, unstaked=[BOB]))
    assert points_text(alice) == (
        "round 3 (from 2024-10-04T01:00:00Z): 12.5 shares x 1.05 x 1 USD = 13.125 USD, x 1.5 = 19.6875 points"
    )
    assert points_text(bob).endswith("1 shares x 1.05 x 1 USD = 1.05 USD, no points: unstaked")
    (day,) = points_of_days(
        PointsRule("droplets", {}, {program.pool: Fraction("0.5")}), [program.cell(ALICE, "2024-10-04", 30)]
    )
    assert points_text(day) == "2024-10-04: 30 dollar-days, x 0.5 = 15 points"


# The document --------------------------------------------------------------------------------------------------------


def _vault_of_the_document() -> StreamVault:
    """docs/points.md's timeline, played: block, what happens, who, how much."""
    steps = DOCUMENT.read_text(encoding="utf-8").split("```timeline\n")[1].split("```")[0].splitlines()
    vault = StreamVault(Chain())
    for step in steps:
        block, action, *who, amount = step.split()
        if int(block) != vault.chain.block:
            vault.chain.at(int(block))
        getattr(vault, action)(*(NAMES[name] for name in who), parse_units(amount, 6))
    return vault


def _facts(vault: StreamVault) -> SpanFacts:
    conversation = read_span({VAULT: VaultLedger(VAULT, 6)}, Span(0, vault.chain.block + 1))
    next(conversation)
    with pytest.raises(StopIteration) as stop:
        conversation.send(vault.chain.logs)
    facts: SpanFacts = stop.value.value
    return facts


def _table() -> list[list[str]]:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index("| round | provider | shares | price per share | USD | points | why none |")
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_documents_timeline_gives_the_documents_points() -> None:
    vault = _vault_of_the_document()
    facts = _facts(vault)
    rows: list[list[str]] = []
    for start in facts.starts:
        unstaked = unstaked_in(facts.events, start.round)
        held = RoundHoldings(
            POOL, start.round, start.time, start.shares, start.price_per_share, 99_980_000, SCALE, unstaked
        )
        rows += [
            [
                str(line.round),
                next(name for name, address in NAMES.items() if address == line.address),
                format_units(line.shares, 6),
                format_units(line.price_per_share, 6),
                format_units(line.usd_micro, 6),
                format_units(line.points_micro, 6),
                line.reason or "",
            ]
            for line in points_of_round(_rule("1.5"), held)
        ]
    assert rows == _table()
