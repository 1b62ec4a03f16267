"""The digest: the worked example of docs/digest.md to the byte, and nothing that matters left out of it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.times import parse_day
from loyalty.program.budget import epoch_budgets
from loyalty.program.cells import Cell
from loyalty.program.digest import SOURCES, digest_lines, epoch_digest, priced_tokens
from loyalty.program.rules import Exclusion, PoolKey, PoolRule, Reward, Rules, Tier, Token, UsdShare
from loyalty.program.settlement import EpochResult, evaluate_epoch

DOCUMENT = Path(__file__).parents[2] / "docs" / "digest.md"
DAY = 86_400
START = 1_725_840_000  # 2024-09-09T00:00:00Z
ALICE, BOB, CAROL = (Address("0x" + letter * 40) for letter in "abc")
WETH, USDC, ARB = (Address("0x" + pair * 20) for pair in ("e1", "e2", "e3"))
OLD_POOL, NEW_POOL = (PoolKey(42161, Address("0x" + digit * 40)) for digit in "12")


class Example(NamedTuple):
    rules: Rules
    result: EpochResult
    cells: list[Cell]
    prices: dict[str, list[PricePoint]]

    @property
    def digest(self) -> str:
        return epoch_digest(*self)

    @property
    def lines(self) -> list[str]:
        return digest_lines(*self)


def _example_rules() -> Rules:
    """Four epochs of two days; the second runs over 2024-09-11 and 2024-09-12."""
    return Rules(
        name='Brücke "One"',
        start=START,
        epochs=4,
        epoch_seconds=2 * DAY,
        count="full",
        minimum_usd_micro=10_000_000,
        on_lapse="reset",
        settle_after=DAY,
        tiers=(Tier("Tier 1", 1, Fraction(1), 0), Tier("Tier 2", 2, Fraction("1.2"), 50_000_000)),
        rewards=(
            Reward("ARB", 10**21, None, None),
            Reward("LOYAL", None, None, UsdShare("ARB", Fraction("0.25"))),
        ),
        tokens={
            "WETH": Token("WETH", 42161, WETH, 18, 8, 7200),
            "USDC": Token("USDC", 42161, USDC, 6, 8, 7200),
            "ARB": Token("ARB", 42161, ARB, 18, 8, 7200),
            "LOYAL": Token("LOYAL", 0, None, 6, 8, 7200),
        },
        pools=(
            PoolRule(NEW_POOL, ("WETH", "USDC"), Fraction("1.5"), parse_day("2024-09-12"), None),
            PoolRule(OLD_POOL, ("WETH", "USDC"), Fraction(1), None, parse_day("2024-09-20")),
        ),
        exclusions=(
            Exclusion(CAROL, "program treasury", None, parse_day("2024-09-12")),
            Exclusion(BOB, "over before this epoch", None, parse_day("2024-09-11")),
        ),
    )


def _example_cells() -> list[Cell]:
    """Alice in both pools, Bob out of range on one day, Carol excluded on the first day and too small on the second."""
    first, second = parse_day("2024-09-11"), parse_day("2024-09-12")
    return [
        Cell(*OLD_POOL, ALICE, first, 100_000_000, 100_000_000),
        Cell(*OLD_POOL, ALICE, second, 100_000_000, 60_000_000),
        Cell(*NEW_POOL, ALICE, first, 77_000_000, 77_000_000),
        Cell(*NEW_POOL, ALICE, second, 40_000_000, 40_000_000),
        Cell(*OLD_POOL, BOB, second, 160_000_000, 0),
        Cell(*OLD_POOL, CAROL, first, 900_000_000, 900_000_000),
        Cell(*OLD_POOL, CAROL, second, 19_000_000, 19_000_000),
    ]


def _example_prices() -> dict[str, list[PricePoint]]:
    hour = START + 2 * DAY
    return {
        "WETH": [
            PricePoint(hour, 240_000_000_000, "coingecko", 1),
            PricePoint(hour + 3600, 241_050_000_000, "file", 2),
        ],
        "USDC": [PricePoint(0, 100_000_000, "fixed", 3)],
        "ARB": [PricePoint(START + 4 * DAY, 55_000_000, "coingecko", 4)],
        "LOYAL": [PricePoint(START + 4 * DAY, 2_500_000, "operator", 5)],
    }


def _settled(
    rules: Rules, cells: list[Cell], prices: dict[str, list[PricePoint]], before: dict[Address, int]
) -> Example:
    at_end = {symbol: points[-1].price for symbol, points in prices.items()}
    budgets = epoch_budgets(rules, 2, at_end, {"ARB": 5})
    return Example(rules, evaluate_epoch(rules, rules.epoch(2), cells, before, budgets), cells, prices)


def example(rules: Rules | None = None) -> Example:
    """The worked example of the document: Alice has taken part once before, 5 units of ARB are carried in."""
    return _settled(rules or _example_rules(), _example_cells(), _example_prices(), {ALICE: 1})


def _documented() -> tuple[str, str]:
    """The lines that the document shows in full, each ending in LF, and the digest that it names for them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = re.search(r"^```text\n(loyalty-digest 1\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    digest = re.search(r"^\s*([0-9a-f]{64})  -$", text, re.MULTILINE)
    assert lines
    assert digest
    return lines[1], digest[1]


def test_the_worked_example_of_the_document_is_what_the_code_writes() -> None:
    lines, digest = _documented()
    assert "".join(f"{line}\n" for line in example().lines) == lines
    assert example().digest == digest == sha256(lines.encode()).hexdigest()


def test_the_worked_examples_rewards_follow_by_hand() -> None:
    """Alice (200 + 40 x 1.5) x 1.2 = 312, Bob 160: 250 ARB and 5 units by 312 : 160."""
    arb = 250 * 10**18 + 5
    shares = {ALICE: arb * 312 // 472, BOB: arb * 160 // 472}
    assert sum(shares.values()) == arb - 1
    assert arb * 312 % 472 > arb * 160 % 472
    assert example().result.rewards["ARB"] == {ALICE: shares[ALICE] + 1, BOB: shares[BOB]}
    assert example().result.ledgers[1].own_units == 1_375_000_000  # 250 ARB x 0.55 x 0.25 / 0.025, 6 decimals
    assert [(p.provider, p.weight) for p in example().result.participations] == [
        (ALICE, Fraction(312)),
        (BOB, Fraction(160)),
    ]


def test_a_pool_before_its_days_and_an_exclusion_that_is_over_are_not_listed_for_the_epoch() -> None:
    cells = [line for line in example().lines if line.startswith("cell")]
    assert not [line for line in cells if NEW_POOL.address in line and "2024-09-11" in line]
    assert len(cells) == 6
    assert [line for line in example().lines if line.startswith("exclusion")] == [f"exclusion {CAROL} - 2024-09-12"]


def test_the_sections_stand_in_order_and_each_is_sorted_bytewise() -> None:
    order = [
        "loyalty-digest",
        "program",
        "epoch",
        "rule",
        "pool",
        "exclusion",
        "budget",
        "price",
        "cell",
        "tier",
        "reward",
    ]
    keyed = [(order.index(line.split(" ")[0]), line.encode()) for line in example().lines]
    assert keyed == sorted(keyed)
    assert {place for place, _ in keyed} == set(range(len(order)))


def test_every_line_has_its_fields_one_space_apart() -> None:
    for line in example().lines[3:]:
        assert line == " ".join(line.split())


def test_names_are_json_strings_that_keep_their_letters() -> None:
    assert example().lines[1] == r'program "Brücke \"One\"" 1725840000 4 172800'
    hostile = example(replace(_example_rules(), name="a\nepoch 9 0 0"))
    assert hostile.lines[1] == r'program "a\nepoch 9 0 0" 1725840000 4 172800'


def test_a_symbol_that_is_no_plain_word_is_a_json_string(program: Any) -> None:
    rules = program.rules(
        tokens={**program.rules().tokens, "L P": program.token("L P")}, rewards=(program.total("L P", 30),)
    )
    result = program.evaluate(rules, 1, [])
    lines = digest_lines(rules, result, [], {symbol: [] for symbol in priced_tokens(rules)})
    assert lines[-1] == 'budget "L P" 1 0'


def test_a_token_without_an_address_is_its_symbol_on_chain_zero_whatever_chain_is_written() -> None:
    rules = _example_rules()
    named = replace(rules, tokens={**rules.tokens, "LOYAL": replace(rules.tokens["LOYAL"], chain=42161)})
    assert example(named).lines == example().lines
    assert "price 0 LOYAL 1726185600 2500000 8 operator" in example().lines


def test_a_reward_of_zero_is_not_listed() -> None:
    given = example()
    rewards = {**given.result.rewards, "ARB": {**given.result.rewards["ARB"], CAROL: 0}}
    assert given._replace(result=replace(given.result, rewards=rewards)).digest == given.digest


def test_a_reward_token_without_units_still_has_its_budget_line(program: Any) -> None:
    rules = program.rules(rewards=(program.total("ARB", 0), program.total("T", 0)))
    lines = digest_lines(rules, program.evaluate(rules, 1, []), [], {"WBTC": [], "tBTC": []})
    assert lines[-2:] == ["budget ARB 0 0", "budget T 0 0"]


def test_prices_are_listed_for_the_pools_tokens_and_both_tokens_of_a_usd_share_only(program: Any) -> None:
    assert priced_tokens(program.rules()) == ["WBTC", "tBTC"]
    shared = program.rules(rewards=(program.total("ARB", 1), program.share("T", "ARB", "0.25")))
    assert priced_tokens(shared) == ["ARB", "T", "WBTC", "tBTC"]


def test_the_order_of_anything_given_changes_nothing() -> None:
    given = example()
    rules = replace(
        given.rules,
        pools=given.rules.pools[::-1],
        exclusions=given.rules.exclusions[::-1],
        tokens=dict(reversed(given.rules.tokens.items())),
    )
    prices = {symbol: points[::-1] for symbol, points in reversed(given.prices.items())}
    assert Example(rules, given.result, given.cells[::-1], prices).digest == given.digest


def test_how_and_when_something_was_fetched_changes_nothing() -> None:
    given = example()
    prices = {symbol: [point._replace(asked_time=99) for point in points] for symbol, points in given.prices.items()}
    assert given._replace(prices=prices).digest == given.digest


def test_names_of_tiers_and_reasons_of_exclusions_are_not_in_it() -> None:
    rules = _example_rules()
    renamed = replace(
        rules,
        tiers=tuple(replace(tier, name=f"{tier.name}!") for tier in rules.tiers),
        exclusions=tuple(replace(exclusion, reason="another") for exclusion in rules.exclusions),
        settle_after=0,
    )
    assert example(renamed).digest == example().digest


def test_an_address_excluded_twice_over_the_same_days_is_listed_once() -> None:
    rules = _example_rules()
    again = replace(rules.exclusions[0], reason="another")
    assert example(replace(rules, exclusions=(*rules.exclusions, again))).digest == example().digest


RULE_EDITS: dict[str, Callable[[Rules], Rules]] = {
    "name": lambda rules: replace(rules, name="Brucke"),
    "epochs": lambda rules: replace(rules, epochs=5),
    "count": lambda rules: replace(rules, count="in_range"),
    "minimum_usd": lambda rules: replace(rules, minimum_usd_micro=10_000_001),
    "on_lapse": lambda rules: replace(rules, on_lapse="pause"),
    "a tier's epoch": lambda rules: replace(rules, tiers=(rules.tiers[0], replace(rules.tiers[1], from_epoch=3))),
    "a tier's multiplier": lambda rules: replace(
        rules, tiers=(rules.tiers[0], replace(rules.tiers[1], multiplier=Fraction("1.21")))
    ),
    "a tier's minimum": lambda rules: replace(
        rules, tiers=(rules.tiers[0], replace(rules.tiers[1], minimum_usd_micro=50_000_001))
    ),
    "a pool's weight": lambda rules: replace(
        rules, pools=(rules.pools[0], replace(rules.pools[1], weight=Fraction(2)))
    ),
    "a pool's from": lambda rules: replace(rules, pools=(rules.pools[0], replace(rules.pools[1], from_day=19_975))),
    "a pool's until": lambda rules: replace(rules, pools=(rules.pools[0], replace(rules.pools[1], until_day=None))),
    "a pool less": lambda rules: replace(rules, pools=rules.pools[:1]),
    "an exclusion less": lambda rules: replace(rules, exclusions=()),
    "an exclusion's days": lambda rules: replace(
        rules, exclusions=(replace(rules.exclusions[0], from_day=19_975), rules.exclusions[1])
    ),
    "a total": lambda rules: replace(rules, rewards=(Reward("ARB", 10**21 + 2, None, None), rules.rewards[1])),
    "a fraction": lambda rules: replace(
        rules, rewards=(rules.rewards[0], Reward("LOYAL", None, None, UsdShare("ARB", Fraction("0.26"))))
    ),
    "a price's decimals": lambda rules: replace(
        rules, tokens={**rules.tokens, "USDC": replace(rules.tokens["USDC"], price_decimals=9)}
    ),
    "a token's address": lambda rules: replace(
        rules, tokens={**rules.tokens, "USDC": replace(rules.tokens["USDC"], address=None)}
    ),
}


@pytest.mark.parametrize("edit", RULE_EDITS.values(), ids=RULE_EDITS.keys())
def test_another_rule_gives_another_digest(edit: Callable[[Rules], Rules]) -> None:
    assert example(edit(_example_rules())).digest != example().digest


def test_a_reward_moved_by_one_unit_gives_another_digest() -> None:
    given = example()
    arb = given.result.rewards["ARB"]
    moved = {ALICE: arb[ALICE] - 1, BOB: arb[BOB] + 1}
    result = replace(given.result, rewards={**given.result.rewards, "ARB": moved})
    assert given._replace(result=result).digest != given.digest


def test_another_progress_before_gives_another_digest() -> None:
    for before in ({}, {ALICE: 2}, {ALICE: 1, BOB: 1}):
        assert _settled(_example_rules(), _example_cells(), _example_prices(), before).digest != example().digest


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_cell_in_the_program_gives_another_digest(data: st.DataObject) -> None:
    cells = _example_cells()
    in_program = [index for index in range(len(cells)) if index != 2]
    index = data.draw(st.sampled_from(in_program))
    field = data.draw(st.sampled_from(["usd_micro_days", "usd_micro_days_in_range", "provider", "day"]))
    changed: Any = {
        "usd_micro_days": cells[index].usd_micro_days + data.draw(st.integers(1, 10**9)),
        "usd_micro_days_in_range": cells[index].usd_micro_days_in_range + data.draw(st.integers(1, 10**9)),
        "provider": Address("0x" + "d" * 40),
        "day": cells[index].day + 40,
    }[field]
    cells[index] = cells[index]._replace(**{field: changed})
    assert _settled(_example_rules(), cells, _example_prices(), {ALICE: 1}).digest != example().digest


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_price_gives_another_digest_though_no_reward_moves(data: st.DataObject) -> None:
    given_example = example()
    symbol = data.draw(st.sampled_from(sorted(given_example.prices)))
    points = list(given_example.prices[symbol])
    index = data.draw(st.integers(0, len(points) - 1))
    field = data.draw(st.sampled_from(["valid_time", "price", "source"]))
    other_sources = sorted(SOURCES - {points[index].source})
    value: Any = (
        data.draw(st.sampled_from(other_sources)) if field == "source" else points[index][:2][field == "price"] + 7
    )
    points[index] = points[index]._replace(**{field: value})
    prices = {**given_example.prices, symbol: points}
    assert given_example._replace(prices=prices).digest != given_example.digest


def test_cells_of_zero_and_of_other_days_are_not_in_it() -> None:
    given = example()
    more = [
        Cell(*OLD_POOL, BOB, parse_day("2024-09-11"), 0, 0),
        Cell(*OLD_POOL, BOB, parse_day("2024-09-13"), 5, 5),
        Cell(42161, Address("0x" + "9" * 40), BOB, parse_day("2024-09-11"), 5, 5),
    ]
    assert given._replace(cells=given.cells + more).digest == given.digest


def test_the_same_cell_twice_is_an_error() -> None:
    given = example()
    with pytest.raises(Inconsistent, match="the digest's input has a cell twice: cell 42161 0x1111"):
        given._replace(cells=given.cells + given.cells[:1]).lines  # noqa: B018


def test_a_token_whose_prices_were_forgotten_is_an_error() -> None:
    given = example()
    with pytest.raises(Inconsistent, match="the prices of WETH are missing from the digest's input"):
        given._replace(prices={**{k: v for k, v in given.prices.items() if k != "WETH"}}).lines  # noqa: B018


def test_a_source_without_a_name_in_the_format_is_an_error() -> None:
    given = example()
    prices = {**given.prices, "USDC": [PricePoint(0, 1, "a friend", 0)]}
    with pytest.raises(Inconsistent, match="a price of USDC has the source 'a friend'"):
        given._replace(prices=prices).lines  # noqa: B018


def test_two_reward_tokens_of_one_address_are_refused(program: Any) -> None:
    address = Address("0x" + "7" * 40)
    tokens = {
        **program.rules().tokens,
        "X": program.token("X", address=address),
        "Y": program.token("Y", address=address),
    }
    rules = program.rules(tokens=tokens, rewards=(program.total("X", 1), program.total("Y", 1)))
    with pytest.raises(Invalid, match=f"rewards X and Y are both {address}"):
        digest_lines(rules, program.evaluate(rules, 1, []), [], {"WBTC": [], "tBTC": []})


@settings(max_examples=60, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_whatever_the_name_the_lines_stay_whole_and_the_name_can_be_read_back(name: str) -> None:
    line = example(replace(_example_rules(), name=name)).lines[1]
    assert "\n" not in line
    assert json.loads(line.removeprefix("program ").rsplit(" ", 3)[0]) == name
