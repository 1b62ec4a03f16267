"""Pages: every row once, in order, whatever the ties and whatever comes and goes meanwhile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Invalid
from loyalty.reports.paging import Cut, page

ROWS = st.lists(st.tuples(st.fractions(-3, 3, max_denominator=4), st.text("abc", min_size=1, max_size=3)), unique=True)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, limit=st.integers(1, 4))
def test_the_pages_together_are_the_list_in_order(rows: list[tuple[object, str]], limit: int) -> None:
    seen: list[tuple[object, str]] = []
    after: str | None = None
    while True:
        shown, after = page(rows, lambda row: row, "test", Cut(limit, after))
        assert len(shown) <= limit
        seen += shown
        if after is None:
            break
    assert seen == sorted(rows)


def test_a_row_that_comes_or_goes_behind_the_token_repeats_and_skips_nothing() -> None:
    rows = [(1, "a"), (1, "b"), (1, "c"), (2, "d")]
    first, after = page(rows, lambda row: row, "test", Cut(2, None))
    changed = [(0, "new"), (1, "a"), (1, "c"), (2, "d")]
    rest, end = page(changed, lambda row: row, "test", Cut(10, after))
    assert first == [(1, "a"), (1, "b")]
    assert rest == [(1, "c"), (2, "d")]
    assert end is None


def test_the_last_page_has_no_token_even_when_it_is_full() -> None:
    assert page([1, 2], lambda row: (row,), "test", Cut(2, None)) == ([1, 2], None)


def test_a_token_of_another_list_is_refused() -> None:
    _, after = page([1, 2], lambda row: (row,), "one", Cut(1, None))
    with pytest.raises(Invalid, match="another order"):
        page([1, 2], lambda row: (row,), "other", Cut(1, after))


@pytest.mark.parametrize("token", ["", "x", "!!!!", "WyJ0ZXN0Il0", "bnVsbA", "WyJ0ZXN0IixbImEiXV0", "W1sxXV0", "é"])
def test_what_is_no_token_is_refused(token: str) -> None:
    if token == "WyJ0ZXN0Il0":  # ["test"]: an empty key, which is before everything
        assert page([1], lambda row: (row,), "test", Cut(1, token)) == ([1], None)
        return
    with pytest.raises(Invalid, match="after"):
        page([1, 2], lambda row: (row,), "test", Cut(1, token))


def test_a_token_whose_key_cannot_be_compared_is_refused() -> None:
    _, after = page([("b",), ("c",)], lambda row: row, "test", Cut(1, None))
    with pytest.raises(Invalid, match="not a token of this list"):
        page([1, 2], lambda row: (row,), "test", Cut(1, after))
