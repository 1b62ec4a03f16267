"""Whatever is changed in a right file: it loads, or it is refused as an InvalidFile; there is no third thing."""

import copy
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from loyalty.config import Program, load_program, load_settings
from loyalty.core.errors import InvalidFile

REAL_FILE = Path(__file__).parents[2] / "programs/arbitrum-tbtc.toml"

SCALARS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 10**80, 2**63, True, 1.5, float("inf"), float("nan")]),
    st.just(5000).map(lambda digits: 10**digits),
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "0", "٣", "9" * 5000, "1e9", "0x", "file:", "http://[", "7d", "9" * 79 + "d", "ARB", "a\0b"]
    ),
    st.datetimes(timezones=st.sampled_from([None, UTC])),
    st.sampled_from([date.min, date.max, datetime.max.replace(tzinfo=UTC), time(1), "0001-01-01T00:00:00+23:59"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=2)
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in the document but the whole."""
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


def parent(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def outcome(load: Any, document: Any) -> Program | tuple[str, ...]:
    """The program or the faults; any other exception is the test's failure."""
    try:
        return cast(Program, load(document))
    except InvalidFile as refused:
        return refused.faults


def loads_or_is_refused(load: Any, document: dict[str, Any]) -> None:
    result = outcome(load, document)
    if isinstance(result, Program):
        assert json.dumps(result.masked())
    else:
        assert result
        assert all(": read " in fault and "; expected " in fault for fault in result)


@limits(max_examples=300, deadline=None)
@given(choices=st.data())
def test_any_value_in_any_place(load, valid, choices):
    document = valid()
    path = choices.draw(st.sampled_from(list(places(document))))
    parent(document, path)[path[-1]] = choices.draw(VALUES)
    loads_or_is_refused(load, document)


def test_any_place_left_out(load, valid):
    for path in places(valid()):
        document = valid()
        del parent(document, path)[path[-1]]
        loads_or_is_refused(load, document)


@limits(max_examples=150, deadline=None)
@given(choices=st.data())
def test_any_place_with_the_value_of_another(load, valid, choices):
    document = valid()
    path, other = (choices.draw(st.sampled_from(list(places(document)))) for _ in range(2))
    parent(document, path)[path[-1]] = copy.deepcopy(parent(document, other)[other[-1]])
    loads_or_is_refused(load, document)


@pytest.mark.skipif(not REAL_FILE.exists(), reason="the wheel carries no programs")
@limits(max_examples=100, deadline=None)
@given(choices=st.data())
def test_any_few_bytes_of_the_real_file(choices):
    content = REAL_FILE.read_bytes()
    start = choices.draw(st.integers(0, len(content)))
    end = min(len(content), start + choices.draw(st.integers(0, 20)))
    changed = content[:start] + choices.draw(st.binary(max_size=4)) + content[end:]
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(changed)
        file.flush()
        settings = load_settings({}, None)
        assert outcome(lambda path: load_program(path, settings), Path(file.name))
