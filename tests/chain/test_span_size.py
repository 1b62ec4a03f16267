"""The span that an endpoint is asked for at once: found in few questions, and found again when the limit changes."""

from hypothesis import given
from hypothesis import strategies as st

from loyalty.chain.span_size import MOST_BLOCKS, WANTED_LOGS, SpanSize


def ask(size: SpanSize, limit: int) -> bool:
    length = size.blocks
    if length > limit:
        size.refused(length)
        return False
    size.answered(length, 0)
    return True


def test_a_span_doubles_while_answers_come() -> None:
    size = SpanSize(1000)
    for _ in range(5):
        ask(size, 10**9)
    assert size.blocks == 32_000


@given(limit=st.integers(1, 1_000_000), first=st.integers(1, 1_000_000))
def test_most_questions_are_answered_and_near_the_limit(limit: int, first: int) -> None:
    size = SpanSize(first)
    for _ in range(45):
        ask(size, limit)
    asked = [(size.blocks, ask(size, limit)) for _ in range(60)]
    answered = [blocks for blocks, answer in asked if answer]
    assert len(answered) >= 50
    assert 2 * max(answered) >= limit


def test_a_limit_that_is_gone_is_forgotten() -> None:
    size = SpanSize(10_000)
    for _ in range(20):
        ask(size, 100)
    for _ in range(90):
        ask(size, 10**9)
    assert size.blocks > 10_000


def test_answers_of_many_logs_shrink_the_span() -> None:
    size = SpanSize(10_000)
    size.answered(10_000, WANTED_LOGS + 1)
    assert size.blocks == 5_000
    size.answered(5_000, WANTED_LOGS // 2 + 1)
    assert size.blocks == 5_000


def test_a_span_is_never_empty_and_never_above_the_most() -> None:
    size = SpanSize(1)
    size.refused(1)
    assert size.blocks == 1
    size = SpanSize(MOST_BLOCKS)
    size.answered(MOST_BLOCKS, 0)
    assert size.blocks == MOST_BLOCKS
