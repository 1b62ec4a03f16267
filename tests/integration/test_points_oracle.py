"""The second opinion on points, held to the worked example of docs/points.md, played on a real vault."""

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from loyalty.core.address import Address
from tests.integration import vault_calls as calls
from tests.integration.points_oracle import (
    DAY,
    Excluded,
    RoundSheet,
    Row,
    Stretch,
    cells,
    day_rows,
    places,
    round_rows,
    round_sheets,
    totals,
)
from tests.integration.scene import ALICE, BOB, CAROL, DAVE, GENESIS_TIME
from tests.integration.vault_calls import DECIMALS, KEEPER, Sent
from tests.integration.vault_views import RoundVault, ShareMoment
from tools.evm.erc20 import BALANCE_OF
from tools.evm.node import Node

DOCUMENT = Path(__file__).parents[2] / "docs" / "points.md"
NAMES = {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE}
PRICE, RATE = Fraction("0.9998"), Fraction("1.5")


@pytest.fixture
def vault() -> Iterator[RoundVault]:
    with Node(GENESIS_TIME) as node:
        yield RoundVault.deploy(node)


def play_the_document(vault: RoundVault) -> None:
    (text,) = re.findall(r"```timeline\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    lines = [line.split() for line in text.splitlines()]
    for _, together in groupby(lines, lambda line: line[0]):
        vault.send_all(*(sent(vault, words) for _, *words in together))


def sent(vault: RoundVault, words: list[str]) -> Sent:
    if words[0] == "roll":
        return roll(vault, Decimal(words[1]))
    call = {"redeem": calls.REDEEM, "unstake": calls.UNSTAKE, "instant_unstake": calls.INSTANT_UNSTAKE}
    action, account, units = words[0], NAMES[words[1]], int(Decimal(words[2]) * 10**DECIMALS)
    if action == "stake":
        return vault.sent(account, calls.STAKE, units, account)
    return vault.sent(account, call[action], units)


def roll(vault: RoundVault, price: Decimal) -> Sent:
    """With the yield, or loss, that makes a share worth `price`; what came in this block before it is pending."""
    moment = vault.view()
    if not moment.omni_supply:
        return vault.sent(KEEPER, calls.ROLL, 0, True)
    held = calls.number(vault.node, vault.asset, BALANCE_OF, vault.address) - moment.total_pending
    wanted = -(-int(price * 10**DECIMALS) * moment.omni_supply // 10**DECIMALS)
    return vault.sent(KEEPER, calls.ROLL, abs(wanted - held), wanted >= held)


def table() -> list[list[str]]:
    """The document's rows: round, provider, shares, price per share, USD, points, why none."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text().splitlines()
        if re.match(r"\| \d+ \| \w+ \|", line)
    ]


def test_the_documents_example_on_a_real_vault_gives_the_documents_table(vault: RoundVault) -> None:
    play_the_document(vault)
    found = []
    for sheet in round_sheets(vault.starts, vault.moments, decimals=DECIMALS, nobodys=[vault.address]):
        rows = round_rows(sheet, PRICE, RATE, decimals=DECIMALS)
        assert rows is not None
        found += [[str(sheet.round), *written(row, sheet)] for row in rows]
    assert found == table()


def written(row: Row, sheet: RoundSheet) -> list[str]:
    name = next(name for name, address in NAMES.items() if address == row.address)
    micro = (row.units, sheet.price_per_share * 10**6, row.usd * 10**6, row.micro_points)
    return [name, *(decimal(int(amount)) for amount in micro), row.why_none]


def decimal(micro: int) -> str:
    whole, part = divmod(micro, 10**6)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")


def test_shares_of_other_chains_count_as_of_their_last_block_before_the_roll(vault: RoundVault) -> None:
    away = Address("0x" + "aa" * 20)
    vault.send(ALICE, calls.STAKE, 10**9, ALICE)
    vault.send(KEEPER, calls.ROLL, 0, True)
    vault.send(ALICE, calls.MAX_REDEEM)
    vault.send(ALICE, calls.BRIDGE_OUT, 2, bytes(32), 3 * 10**8)
    start = vault.send(KEEPER, calls.ROLL, 0, True).time
    there = [
        ShareMoment(5, start - 10, {BOB: 10**8}, 10**8),
        ShareMoment(6, start, {BOB: 10**8, away: 5 * 10**7}, 15 * 10**7),
        ShareMoment(7, start + 1, {BOB: 3 * 10**8}, 3 * 10**8),
    ]
    nobodys = [vault.address, away]
    *_, last = round_sheets(vault.starts, vault.moments, [there], decimals=DECIMALS, nobodys=nobodys)
    assert (last.round, last.shares, last.in_flight) == (3, {ALICE: 7 * 10**8, BOB: 10**8}, 15 * 10**7)


SHEET = RoundSheet(4, 20_000 * DAY + 5, Fraction(1), {ALICE: 10**6, BOB: 2 * 10**6}, 0, frozenset([ALICE, BOB]))


def test_an_excluded_address_is_shown_as_excluded_also_when_it_unstaked() -> None:
    out = [Excluded(ALICE, 20_000, 20_001), Excluded(BOB, None, 20_000)]
    rows = round_rows(SHEET, Fraction(1), Fraction(1), decimals=6, excluded=out)
    assert rows is not None
    assert [(row.address, row.micro_points, row.why_none) for row in rows] == [
        (ALICE, 0, "excluded"),
        (BOB, 0, "unstaked"),
    ]
    freely = round_rows(SHEET, Fraction(1), Fraction(1), decimals=6, excluded=out, require_no_unstake=False)
    assert freely is not None
    assert totals(freely) == {BOB: 2 * 10**6}


def test_a_round_without_a_price_has_no_rows() -> None:
    assert round_rows(SHEET, None, Fraction(1), decimals=6) is None


def test_days_are_rounded_down_once_and_then_times_the_rate() -> None:
    stretches = [Stretch(0, DAY // 2, {ALICE: Fraction(1, 3)}), Stretch(DAY // 2, DAY + 60, {ALICE: Fraction(2, 3)})]
    found = cells(stretches)
    assert found == {(0, ALICE): 500_000, (1, ALICE): 462}
    rows = day_rows(found, Fraction("0.1"), [Excluded(ALICE, 1)])
    assert [(row.number, row.micro_points, row.why_none) for row in rows] == [(0, 50_000, ""), (1, 0, "excluded")]
    assert day_rows(found, Fraction(1), days=range(1, 2))[0].micro_points == 462


def test_equal_points_share_a_rank_and_the_next_counts_them_all() -> None:
    assert places({DAVE: 5, CAROL: 7, BOB: 7, ALICE: 9}) == [(1, ALICE, 9), (2, BOB, 7), (2, CAROL, 7), (4, DAVE, 5)]
