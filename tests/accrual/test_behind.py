"""At a moment: what contracts hold is their holders' by their shares then, and the rest is nobody's."""

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.accrual.behind import HeldShares, behind
from loyalty.accrual.day import Cell
from loyalty.accrual.look_through import Backing, LookThrough, Stretch
from loyalty.accrual.looked_through import look_through
from loyalty.core.address import Address
from loyalty.core.spans import Span

ALICE, BOB, CARL = (Address(name) for name in ("alice", "bob", "carl"))
GAUGE, OTHER_GAUGE, VAULT, POOL = (Address(name) for name in ("gauge", "gauge2", "vault", "pool"))


def test_a_vault_of_gauge_tokens_is_its_holders() -> None:
    contracts = [HeldShares(GAUGE, {ALICE: 20, VAULT: 80}, 100, True), HeldShares(VAULT, {BOB: 3, CARL: 1})]
    assert behind({GAUGE: Fraction(100), ALICE: Fraction(5)}, contracts) == {ALICE: 25, BOB: 60, CARL: 20}


def test_what_cannot_be_given_to_anyone_is_left_out() -> None:
    contracts = [
        HeldShares(GAUGE, {ALICE: 50, OTHER_GAUGE: 10, POOL: 10, GAUGE: 10}, 100, True),
        HeldShares(OTHER_GAUGE, {BOB: 1}, 1, True),
        HeldShares(VAULT, {}),
    ]
    amounts = {GAUGE: Fraction(100), OTHER_GAUGE: Fraction(1), VAULT: Fraction(9), POOL: Fraction(7)}
    assert behind(amounts, contracts, [POOL]) == {ALICE: 50, BOB: 1}


@given(st.data())
def test_a_moment_and_a_day_without_changes_agree(choice: st.DataObject) -> None:
    names, units = [GAUGE, OTHER_GAUGE, VAULT], 10**12
    everyone = [ALICE, BOB, CARL, POOL, *names]
    balances = st.dictionaries(st.sampled_from(everyone), st.integers(0, 9), max_size=5)
    held = [
        HeldShares(each, choice.draw(balances), choice.draw(st.sampled_from([None, 3, 40])), each != VAULT)
        for each in names
    ]
    now = behind({each: Fraction(units) for each in names}, held, [POOL])
    over = [
        LookThrough(
            each.contract, each.balances, [], None if each.backing is None else Backing(each.backing, []), each.only_own
        )
        for each in held
    ]
    span, cells = Span(0, 1), {each: Cell(units, units) for each in names}
    found = look_through(span, over, lambda asked: dict.fromkeys(asked, _credit(span)), cells, [POOL])
    for holder in (ALICE, BOB, CARL):
        assert abs(found.cells.get(holder, Cell(0, 0)).usd_micro_days - now.get(holder, Fraction(0))) < 4


def _credit(span: Span) -> Sequence[Stretch]:
    return [Stretch(span, 10**30, 10**30)]
