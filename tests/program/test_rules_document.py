"""docs/rules.md: every table in it is computed again."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from loyalty.program.paying import plan_payment
from loyalty.program.tiers import participate

DOCUMENT = Path(__file__).parents[2] / "docs" / "rules.md"


def _table(first_columns: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first_columns`, without head and rule."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith(f"| {first_columns} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def test_the_table_of_seven_epochs_is_what_the_rules_give(program: Any) -> None:
    rows = _table("epoch | holds USD")
    history = [{program.alice: int(row[1])} for row in rows]
    columns: list[list[str]] = [[], [], [], []]
    for place, on_lapse in ((0, "reset"), (2, "pause")):
        for result in program.play(program.rules(on_lapse=on_lapse), history):
            (alice,) = result.participations or [None]
            columns[place].append(str(alice.participation_epoch) if alice else "-")
            columns[place + 1].append(f"{float(alice.multiplier):g}" if alice else "-")
    assert [row[2:] for row in rows] == [list(row) for row in zip(*columns, strict=True)]


def test_the_table_of_tiers_with_minimums_is_what_the_rules_give(program: Any) -> None:
    rules = program.rules(tiers=(program.tier(1, "1"), program.tier(5, "1.2", 1000), program.tier(13, "1.5", 5000)))
    epoch = rules.epoch(1)
    for participation_epoch, average, multiplier in _table("participation epoch | average USD"):
        held = program.held(epoch, {program.alice: int(average)})
        (alice,) = participate(rules, epoch, held, {program.alice: int(participation_epoch) - 1})
        assert alice.multiplier == Fraction(multiplier), (participation_epoch, average)


def test_the_table_of_weights_is_what_the_rules_give(program: Any) -> None:
    pools = (program.pool_rule(program.pool), program.pool_rule(program.second_pool, "1.5"))
    rules = program.rules(epochs=1, pools=pools, rewards=(program.total("ARB", 1000),))
    rows = dict(zip((program.alice, program.bob, program.carol), _table("provider | USD in A"), strict=True))
    epoch = rules.epoch(1)
    cells = program.held(epoch, {who: int(row[1]) for who, row in rows.items()})
    cells += program.held(epoch, {who: int(row[2]) for who, row in rows.items()}, program.second_pool)
    result = program.evaluate(rules, 1, cells, {program.alice: 4})
    for participation in result.participations:
        name, _, _, multiplier, weight, exact_part, units = rows[participation.provider]
        assert name == f"{participation.provider[:6]}…"
        assert (participation.multiplier, participation.weight) == (Fraction(multiplier), int(weight))
        thousandths = int(1000 * 1000 * participation.weight / result.total_weight)
        assert exact_part == f"{thousandths // 1000}.{thousandths % 1000:03}…"
        assert result.rewards["ARB"][participation.provider] == int(units)
    assert sum(int(row[6]) for row in rows.values()) == 1000


def test_the_table_of_carried_budgets_is_what_the_rules_give(program: Any) -> None:
    rows = [[int(cell) for cell in row] for row in _table("epoch | own | carried in")]
    rules = program.rules(epochs=len(rows), rewards=(program.total("ARB", 10),))
    results = program.play(rules, [{program.alice: 1} if row[3] else {} for row in rows])
    ledgers = [result.ledgers[0] for result in results]
    assert [
        [n, x.own_units, x.carried_in_units, x.paid_units, x.carried_out_units, x.unallocated_units]
        for n, x in enumerate(ledgers, 1)
    ] == rows
    nobody = program.play(rules, [{}, {}, {program.alice: 1}, {}])[-1].ledgers[0]
    assert (nobody.paid_units, nobody.unallocated_units) == (0, 3)


def test_the_table_of_payments_is_what_the_rules_give(program: Any) -> None:
    name = {f"{provider[:6]}…": provider for provider in (program.alice, program.bob)}
    rows = [(int(row[0]), name[row[1]], *map(int, row[2:])) for row in _table("payment | provider")]
    for payment in (1, 2):
        now = [row[1:] for row in rows if row[0] == payment]
        earned, before = {row[0]: row[1] for row in now}, {row[0]: row[2] for row in now if row[2]}
        plan = plan_payment(payment, "ARB", earned, before, 10)
        assert dict(plan.lines) == {row[0]: row[3] for row in now if row[3]}
        assert dict(plan.carried) == {row[0]: row[4] for row in now if row[4]}
