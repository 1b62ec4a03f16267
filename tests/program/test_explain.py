"""Explain: a reward that can be followed down to the log, with every step checked."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import Inconsistent
from loyalty.core.spans import Span
from loyalty.program.explain import explain
from loyalty.program.explanation import LiquiditySpan, PoolDayDetail, PositionLine, PriceLine, WorthLine
from loyalty.program.explanation_json import as_dict
from loyalty.program.explanation_text import lines

MICRO = 10**6
DAY = 86_400
START = 1_725_840_000  # 2024-09-09T00:00:00Z


def _rules(program: Any, **changes: Any) -> Any:
    """One epoch of two days, 10 units of a token without decimals."""
    given = {
        "epochs": 2,
        "epoch_seconds": 2 * DAY,
        "rewards": (program.total("POINT", 20),),
        "tokens": {**program.rules().tokens, "POINT": program.token("POINT", decimals=0)},
        "pools": (program.pool_rule(weight="1.5"),),
        "tiers": (program.tier(1, "1"), program.tier(2, "1.2", 50)),
        "minimum_usd_micro": 10 * MICRO,
    }
    return program.rules(**{**given, **changes})


def _explained(program: Any, rules: Any, cells: Any, provider: Any, before: int = 0, details: Any = None) -> Any:
    others = {program.alice: before} if provider == program.alice else {}
    result = program.evaluate(rules, 1, cells, {**others, provider: before})
    return explain(rules, result, provider, cells, before, details)


def test_a_reward_is_told_from_budget_to_tier(program: Any) -> None:
    rules = _rules(program)
    cells = program.held(rules.epoch(1), {program.alice: 60, program.bob: 40})
    assert lines(_explained(program, rules, cells, program.alice, before=1)) == [
        "provider 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa",
        "epoch 1 of 2, 2024-09-09T00:00:00Z to 2024-09-11T00:00:00Z",
        "reward 6 POINT = 6 units",
        "  budget 10 POINT = 10 of the epoch + 0 carried in",
        "  floor(10 x 216 / 336) = 6 units",
        "  + 0 for the remainder: what floors leave goes to the largest, one unit each",
        "weight 216 of 336",
        "  120.000000 dollar-days x 1.5, the weight of pool 0x1111111111111111111111111111111111111111 on chain 42161",
        "  x 1.2, the multiplier of from 2",
        "qualifying epochs before: 1",
        "participation epoch 2: average 60.000000 USD, the program's minimum 10 USD",
        "tier from 2, multiplier 1.2: the last one reached",
        "  from 1 (x 1) from participation epoch 1: yes; average of at least 0 USD: yes",
        "  from 2 (x 1.2) from participation epoch 2: yes; average of at least 50 USD: yes",
        "2024-09-09 pool 0x1111111111111111111111111111111111111111 on chain 42161: "
        "60.000000 dollar-days, 60.000000 in range; counted in full",
        "2024-09-10 pool 0x1111111111111111111111111111111111111111 on chain 42161: "
        "60.000000 dollar-days, 60.000000 in range; counted in full",
    ]


def test_the_remainders_unit_is_told_apart_from_the_floor(program: Any) -> None:
    """10 x 120 / 336 is 3.57: the unit that the floors leave goes to Bob."""
    rules = _rules(program)
    cells = program.held(rules.epoch(1), {program.alice: 60, program.bob: 40})
    result = program.evaluate(rules, 1, cells, {program.alice: 1})
    (reward,) = explain(rules, result, program.bob, cells, 0).rewards
    assert (reward.floor_units, reward.remainder_units, reward.units) == (3, 1, 4)


def test_a_day_that_does_not_count_says_why(program: Any) -> None:
    rules = _rules(
        program,
        pools=(program.pool_rule(), program.pool_rule(program.second_pool, from_day="2024-09-10")),
        exclusions=(program.exclude(program.alice, "2024-09-10", "2024-09-20"),),
    )
    epoch = rules.epoch(1)
    cells = program.held(epoch, {program.alice: 60}) + program.held(epoch, {program.alice: 5}, program.second_pool)
    told = _explained(program, rules, cells, program.alice)
    assert [(line.pool, line.day - program.start_day, line.not_counted) for line in told.days] == [
        (program.pool, 0, None),
        (program.second_pool, 0, "the pool is not part of the program on this day"),
        (program.pool, 1, "excluded: program treasury"),
        (program.second_pool, 1, "excluded: program treasury"),
    ]
    assert "excluded from 2024-09-10 until 2024-09-20: program treasury" in lines(told)
    assert as_dict(told)["exclusions"] == [
        {"reason": "program treasury", "from": "2024-09-10", "until": "2024-09-20"}
    ]  # fmt: skip
    assert told.standing.average_usd_micro == 30 * MICRO


def test_who_does_not_qualify_is_told_what_is_missing(program: Any) -> None:
    rules = _rules(program)
    told = _explained(program, rules, program.held(rules.epoch(1), {program.alice: 9}), program.alice, before=3)
    assert lines(told)[2:7] == [
        "reward 0 POINT = 0 units",
        "  budget 10 POINT = 10 of the epoch + 0 carried in",
        "weight 0 of 0",
        "  18.000000 dollar-days x 1.5, the weight of pool 0x1111111111111111111111111111111111111111 on chain 42161",
        "qualifying epochs before: 3",
    ]
    assert lines(told)[7] == (
        "does not qualify, earns nothing: average 9.000000 USD; above zero and the program's minimum 10 USD are needed"
    )
    assert told.standing.participation_epoch is None
    assert told.standing.steps == ()


def test_who_held_nothing_is_told_so_without_an_error(program: Any) -> None:
    rules = _rules(program)
    told = _explained(program, rules, program.held(rules.epoch(1), {program.bob: 50}), program.alice)
    assert (told.weight, told.total_weight, told.days, told.pools) == (Fraction(0), Fraction(150), (), ())


def _detail(program: Any) -> PoolDayDetail:
    """Two positions whose exact parts are 20 1/3 and 39 2/3 micro-dollar-days over: 60 dollars and one micro-dollar."""
    span = Span(START, START + DAY)
    opened = LiquiditySpan(span, 10**18, Checkpoint(91_124_500, 7))
    first = PositionLine(
        "token 4711 of 0xc364", -60, 60, (opened,), Fraction(60_000_001, 3), Fraction(60_000_001, 3), DAY
    )
    second = PositionLine(
        "direct", -887_220, 887_220, (replace(opened, opened_by=None),), Fraction(120_000_002, 3), Fraction(0), 0
    )
    price = PriceLine("WBTC", START, 5_750_012_345_678, 8, "operator", "the source was down")
    return PoolDayDetail((first, second), (price,))


def _one_day(program: Any) -> Any:
    return program.cell(program.alice, "2024-09-09", 60)._replace(
        usd_micro_days=60_000_001, usd_micro_days_in_range=20_000_000
    )


def test_a_day_is_told_by_prices_positions_and_log_ids(program: Any) -> None:
    rules = _rules(program)
    details = {(program.pool, program.start_day): _detail(program)}
    told = _explained(program, rules, [_one_day(program)], program.alice, details=details)
    assert lines(told)[-6:] == [
        "2024-09-09 pool 0x1111111111111111111111111111111111111111 on chain 42161: "
        "60.000001 dollar-days, 20.000000 in range; counted in full",
        "  price of WBTC 57500.12345678 USD from 2024-09-09T00:00:00Z, source operator, because: the source was down",
        "  position token 4711 of 0xc364 [-60, 60): about 20.000000 dollar-days, 20.000000 in range for 86400 s",
        "    liquidity 1000000000000000000 from 2024-09-09T00:00:00Z to 2024-09-10T00:00:00Z, by block 91124500 log 7",
        "  position direct [-887220, 887220): about 40.000000 dollar-days, 0.000000 in range for 0 s",
        "    liquidity 1000000000000000000 from 2024-09-09T00:00:00Z to 2024-09-10T00:00:00Z",
    ]


def test_what_a_share_was_told_to_be_worth_is_told_with_its_place(program: Any) -> None:
    rules = _rules(program)
    worth = (
        WorthLine("price per share", 6, START - 60, 1_034_137, 6, "USDC", 42161, 91_124_400, 2),
        WorthLine("virtual price", 18, START, 1_000_500_000_000_000_000, 18, None, 42161, 91_124_500, None),
    )
    details = {(program.pool, program.start_day): replace(_detail(program), share_worth=worth)}
    told = _explained(program, rules, [_one_day(program)], program.alice, details=details)
    assert lines(told)[-6:-4] == [
        "  price per share (10^6 units) 1.034137 USDC from 2024-09-08T23:59:00Z, "
        "by block 91124400 log 2 of chain 42161",
        "  virtual price (10^18 units) 1.0005 from 2024-09-09T00:00:00Z, "
        "the contract's answer at block 91124500 of chain 42161",
    ]
    (day,) = as_dict(told)["days"]
    assert day["share_worth"][1] == {
        "told": "virtual price",
        "share_decimals": 18,
        "valid_time": "2024-09-09T00:00:00Z",
        "value": "1.0005",
        "unit": None,
        "chain": 42161,
        "block": 91_124_500,
        "log_index": None,
    }


def test_the_json_form_carries_exact_amounts_and_is_json(program: Any) -> None:
    rules = _rules(program)
    details = {(program.pool, program.start_day): _detail(program)}
    told = as_dict(_explained(program, rules, [_one_day(program)], program.alice, details=details))
    assert json.loads(json.dumps(told)) == told
    (day,) = told["days"]
    assert day["date"] == "2024-09-09"
    assert day["usd_days"] == "60.000001"
    assert [position["usd_days"] for position in day["positions"]] == ["60000001/3000000", "60000001/1500000"]
    assert day["positions"][0]["liquidity"] == [
        {
            "from": "2024-09-09T00:00:00Z",
            "until": "2024-09-10T00:00:00Z",
            "liquidity": "1000000000000000000",
            "block": 91_124_500,
            "log_index": 7,
        }
    ]
    assert day["prices"][0]["usd"] == "57500.12345678"
    assert told["rewards"] == [
        {
            "token": "POINT",
            "amount": "10",
            "amount_units": "10",
            "budget_units": "10",
            "carried_in_units": "0",
            "floor_units": "10",
            "remainder_units": "0",
        }
    ]
    assert (told["weight"], told["total_weight"]) == ("90.0000015", "90.0000015")
    assert told["standing"]["average_usd"] == "60000001/2000000"


def test_positions_that_do_not_add_up_to_the_cell_are_an_error(program: Any) -> None:
    rules = _rules(program)
    cell = _one_day(program)._replace(usd_micro_days=60_000_000)
    details = {(program.pool, program.start_day): _detail(program)}
    with pytest.raises(Inconsistent, match="its positions give 60000001, 20000000 in range: run `loyalty verify`"):
        _explained(program, rules, [cell], program.alice, details=details)


def test_a_stored_participation_that_does_not_follow_is_an_error(program: Any) -> None:
    rules = _rules(program)
    cells = program.held(rules.epoch(1), {program.alice: 60})
    result = program.evaluate(rules, 1, cells, {})
    with pytest.raises(Inconsistent, match=r"epoch 1 has the participation .* of 0xaaaa"):
        explain(rules, result, program.alice, cells[:1], 0)
    with pytest.raises(Inconsistent, match=r"epoch 1 has the participation .* of 0xaaaa"):
        explain(rules, result, program.alice, cells, 4)


def test_a_stored_reward_that_does_not_follow_is_an_error(program: Any) -> None:
    rules = _rules(program)
    cells = program.held(rules.epoch(1), {program.alice: 60, program.bob: 60})
    result = program.evaluate(rules, 1, cells, {})
    wrong = replace(result, rewards={"POINT": {program.alice: 8, program.bob: 2}})
    with pytest.raises(Inconsistent, match=r"gives 0xa{40} 8 units of POINT, its weight gives 5 or one more"):
        explain(rules, wrong, program.alice, cells, 0)
