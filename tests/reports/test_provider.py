"""One provider, and the list of all, as the small program has them."""

from fractions import Fraction

import pytest

from loyalty.core.address import checksum
from loyalty.core.errors import Inconsistent, Invalid, NotFound
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import day_of
from loyalty.program.explanation_text import lines
from loyalty.reports.explain import explained, explanation
from loyalty.reports.paging import Cut
from loyalty.reports.positions import positions
from loyalty.reports.provider import daily, provider, rewards
from loyalty.reports.providers import providers
from loyalty.reports.snapshot import Snapshot
from loyalty.state import State, StateTransaction, days, prices
from tests.reports.small_program import ALICE, BOB, CAROL, HEAD, HOUR, NOW, START, STRANGER, TREASURY

ALL = Cut(500, None)


def test_a_provider_climbs_and_is_paid(snapshot: Snapshot) -> None:
    told = provider(snapshot, BOB)
    assert (told["usd"], told["usd_in_range"], told["tier"], told["multiplier"]) == (
        "2999.999999",
        "2999.999999",
        "Tier 2",
        "2",
    )
    assert [(each["epoch"], each["participation_epoch"], each["tier"]) for each in told["progression"]] == [
        (1, 1, "Tier 1"),
        (2, 2, "Tier 2"),
        (3, 3, "Tier 2"),
        (4, 4, "Tier 2"),
    ]
    assert told["next_tier"] is None
    assert told["average_usd"] == "2999.999998"
    assert told["progression"][3]["epoch_average_usd"] == "1499.999999"
    assert [each["usd_days"] for each in told["days"]] == ["2999.999999"] * 3 + ["1499.999999"]
    assert told["provisional"][0]["amount_units"] == str(100 * 10**18 * 2_999_999_998 // 3_999_999_996)


def test_who_left_keeps_what_it_earned_and_has_no_tier(snapshot: Snapshot) -> None:
    told = provider(snapshot, ALICE)
    assert (told["usd"], told["tier"], told["weight"], told["average_usd"]) == ("0.000000", None, "0", None)
    assert told["next_tier"]["epochs_to_go"] == 1
    earned = [each for each in rewards(snapshot, ALICE, ALL)["items"] if each["token"] == "ARB"]
    assert [each["epoch"] for each in earned] == [2, 1]
    assert int(told["earned"][0]["amount_units"]) == sum(int(each["amount_units"]) for each in earned)


def test_an_address_without_facts_is_not_found(snapshot: Snapshot) -> None:
    for report in (provider, lambda s, a: explained(s, a, 1), lambda s, a: positions(s, a, ALL)):
        with pytest.raises(NotFound, match="has never had liquidity"):
            report(snapshot, STRANGER)


def test_days_are_asked_for_by_date(snapshot: Snapshot) -> None:
    first = day_of(START)
    assert [each["date"] for each in daily(snapshot, BOB, first + 1, first + 2, ALL)["items"]] == [
        "2026-04-21",
        "2026-04-22",
    ]
    assert [each["status"] for each in daily(snapshot, BOB, None, None, ALL)["items"]] == ["settled"] * 3 + [
        "provisional"
    ]
    assert daily(snapshot, BOB, 0, 5, ALL)["items"] == []
    with pytest.raises(Invalid, match="1 to 1000 days"):
        daily(snapshot, BOB, first, first - 5, ALL)


def test_positions_are_tokens_or_direct(snapshot: Snapshot) -> None:
    (token,) = positions(snapshot, CAROL, ALL)["items"]
    assert (token["kind"], token["token_id"], token["liquidity"], token["in_range"]) == (
        "token",
        "1",
        "500000000",
        True,
    )
    (direct,) = positions(snapshot, TREASURY, ALL)["items"]
    assert (direct["kind"], direct["manager"], direct["in_range"]) == ("direct", None, False)
    assert positions(snapshot, ALICE, ALL)["items"] == []


def test_the_list_can_be_sorted_filtered_and_paged(snapshot: Snapshot) -> None:
    def listed(**asked: str) -> list[str]:
        return [each["address"] for each in providers(snapshot, ALL, **asked)["items"]]

    bob, carol, alice, treasury = (checksum(each) for each in (BOB, CAROL, ALICE, TREASURY))
    assert listed() == [bob, carol, alice, treasury]
    assert listed(sort="-usd") == [bob, treasury, carol, alice]
    assert listed(sort="usd") == [alice, carol, treasury, bob]
    assert listed(sort="address") == [alice, bob, carol, treasury]
    assert listed(sort="-address") == [treasury, carol, bob, alice]
    assert listed(tier="Tier 2") == [bob, carol]
    first = providers(snapshot, Cut(2, None))
    rest = providers(snapshot, Cut(2, first["after"]))
    assert [each["address"] for each in (*first["items"], *rest["items"])] == listed()
    assert rest["after"] is None


def test_the_list_carries_weight_and_rewards(snapshot: Snapshot) -> None:
    bob, carol, _, treasury = providers(snapshot, ALL)["items"]
    assert (bob["weight"], bob["weight_share"]) == ("2999.999998", "0.750000000")
    assert carol["weight_share"] == "0.249999999"
    assert sum(int(each["rewards"][0]["amount_units"]) for each in (bob, carol)) == 100 * 10**18
    assert (treasury["excluded"], treasury["usd"], treasury["usd_in_range"]) == (
        "the treasury",
        "2986.382804",
        "0.000000",
    )


def test_an_unknown_sort_or_tier_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(Invalid, match="sort 'name' is not known"):
        providers(snapshot, ALL, sort="name")
    with pytest.raises(NotFound, match="no tier 'Gold'"):
        providers(snapshot, ALL, tier="Gold")


def test_a_reward_is_explained_down_to_the_log(snapshot: Snapshot) -> None:
    told = explained(snapshot, CAROL, 2)
    (day,) = told.days
    assert day.detail is not None
    (position,) = day.detail.positions
    assert position.position == "token 1 of 0x1111111111111111111111111111111111111111"
    assert position.in_range_seconds == 12 * HOUR
    (span,) = position.spans
    assert span.opened_by == (2 + 24 + 12, 0)
    assert (span.span.start, span.span.end) == (START + 36 * HOUR, START + 48 * HOUR)
    assert int(position.usd_micro_days) == day.usd_micro_days == 499_999_999
    assert [(line.token, line.price, line.source) for line in day.detail.prices] == [
        ("USDA", 10**8, "fixed"),
        ("USDB", 10**8, "fixed"),
    ]
    assert told.weight == Fraction("499.999999")
    assert "by block 38 log 0" in "\n".join(lines(told))


def test_liquidity_from_before_the_day_names_the_log_that_opened_it(snapshot: Snapshot) -> None:
    (day,) = explained(snapshot, BOB, 3).days
    assert day.detail is not None
    assert [span.opened_by for span in day.detail.positions[0].spans] == [(2, 2)]
    assert day.detail.positions[0].spans[0].span.length == 24 * HOUR


def test_an_excluded_provider_is_told_why(snapshot: Snapshot) -> None:
    told = explanation(snapshot, TREASURY, 1)
    assert [each["reason"] for each in told["days"]] == ["excluded: the treasury"]
    assert told["standing"]["qualifies"] is False
    assert told["rewards"][0]["amount_units"] == "0"


def test_a_provisional_epoch_is_explained_up_to_its_last_block(snapshot: Snapshot) -> None:
    told = explanation(snapshot, BOB, 4)
    assert (told["status"], told["digest"]) == ("provisional", None)
    (day,) = told["days"]
    assert day["usd_days"] == "1499.999999"
    assert day["positions"][0]["liquidity"][0]["until"] == "2026-04-23T12:00:00Z"


def test_a_price_later_than_the_running_days_cells_hides_their_detail_until_the_next_accrual(
    state: State,
) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, 1, [PricePoint(NOW - HOUR, 2 * 10**8, "file", NOW)])
    with state.read() as connection:
        told = explanation(Snapshot.of(connection), BOB, 4)
    assert told["days"][0]["positions"] is None
    assert told["days"][0]["usd_days"] == "1499.999999"


def test_a_stored_day_that_does_not_follow_from_the_facts_is_told(state: State) -> None:
    with StateTransaction(state) as connection:
        cells = {cell.provider: cell for cell in days.cells(connection, days_of(3))}
        assert cells[BOB].usd_micro_days == 2_999_999_999
        connection.exec_driver_sql(
            "UPDATE daily_balances SET usd_micro_days = 2999999998 WHERE usd_micro_days = 2999999999 AND day = ?",
            (day_of(START) + 2,),
        )
    with state.read() as connection, pytest.raises(Inconsistent, match="its positions give 2999999999"):
        explained(Snapshot.of(connection), BOB, 3)


def days_of(epoch: int) -> Span:
    return Span(day_of(START) + epoch - 1, day_of(START) + epoch)


def test_the_head_is_where_positions_stand(snapshot: Snapshot) -> None:
    told = positions(snapshot, BOB, ALL)
    assert ([each["block"] for each in told["as_of"]], told["status"]) == ([HEAD], "computed")
