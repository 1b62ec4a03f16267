import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.core.errors import Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.merged import Merged, MergedSource

PATIENCE = 20
"""Seconds after which a test that hangs is given up."""


class Slow:
    """A source whose call begins, and ends when it is told to; it counts its calls."""

    name = "coingecko"

    def __init__(self, failure: BaseException | None = None) -> None:
        self.began = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.calls = 0
        self._failure = failure

    def points(self, span: Span, now: int) -> list[PricePoint]:
        self.calls += 1
        self.began.release()
        assert self.may_end.wait(PATIENCE)
        if self._failure:
            raise self._failure
        return [PricePoint(span.start, 5, self.name, now)]


class Identity(str):
    """An identity that says when somebody looks for it: who has looked while a call was under way shares it."""

    __slots__ = ("looked",)

    def __hash__(self) -> int:
        self.looked.release()
        return str.__hash__(self)


def ask_together(slow: Slow, count: int):
    """What `count` threads get, of which the first one's call is under way until all the others have asked."""
    identity = Identity("coingecko tbtc")
    identity.looked = threading.Semaphore(0)
    source = MergedSource(slow, identity, Merged())
    with ThreadPoolExecutor(count) as threads:
        first = threads.submit(source.points, Span(0, 60), 0)
        assert slow.began.acquire(timeout=PATIENCE)
        identity.looked = threading.Semaphore(0)
        others = [threads.submit(source.points, Span(0, 60), now) for now in range(1, count)]
        for _ in others:
            assert identity.looked.acquire(timeout=PATIENCE)
        slow.may_end.set()
        return [future.exception(PATIENCE) or future.result() for future in [first, *others]]


def test_threads_that_ask_the_same_share_one_call_and_its_answer():
    slow = Slow()
    answers = ask_together(slow, 8)
    assert slow.calls == 1
    assert answers == [[PricePoint(0, 5, "coingecko", 0)]] * 8
    answers[0].clear()
    assert len(answers[1]) == 1


def test_a_failure_is_everybodys_who_waited():
    failure = Unavailable("down")
    slow = Slow(failure)
    assert ask_together(slow, 5) == [failure] * 5
    assert slow.calls == 1


def test_other_spans_are_other_calls_and_run_side_by_side():
    slow = Slow()
    source = MergedSource(slow, "coingecko tbtc", Merged())
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(source.points, Span(start, 60), 0) for start in (0, 1)]
        for _ in futures:
            assert slow.began.acquire(timeout=PATIENCE)
        slow.may_end.set()
        assert [future.result(PATIENCE)[0].valid_time for future in futures] == [0, 1]


def test_an_answer_is_not_kept():
    slow = Slow()
    slow.may_end.set()
    source = MergedSource(slow, "coingecko tbtc", Merged())
    assert [source.points(Span(0, 60), now)[0].asked_time for now in (1, 2)] == [1, 2]
    assert (slow.calls, source.name) == (2, "coingecko")


def test_a_failure_is_not_kept():
    merged: Merged[int] = Merged()
    with pytest.raises(Unavailable):
        merged.ask("key", lambda: _fail())
    assert merged.ask("key", lambda: 5) == 5


def test_what_ends_the_thread_that_asks_ends_nobodys_waiting():
    merged: Merged[int] = Merged()
    with pytest.raises(KeyboardInterrupt):
        merged.ask("key", lambda: _interrupt())
    assert merged.ask("key", lambda: 5) == 5


def _fail() -> int:
    raise Unavailable("down")


def _interrupt() -> int:
    raise KeyboardInterrupt
