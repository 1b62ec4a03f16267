"""Merging: questions that are asked at the same time become one call, and all who asked get its answer."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.source import PriceSource

Answer = TypeVar("Answer")


class Merged(Generic[Answer]):
    """One call in flight for each key, shared by all threads that ask meanwhile.

    Nothing is kept: who asks after the answer came causes a new call. A failure is everybody's who waited for it.
    """

    def __init__(self) -> None:
        self._in_flight: dict[Hashable, Future[Answer]] = {}
        self._turn = threading.Lock()

    def ask(self, key: Hashable, call: Callable[[], Answer]) -> Answer:
        """The answer of `call`, or of the same key's call that is under way."""
        with self._turn:
            under_way = self._in_flight.get(key)
            mine: Future[Answer] = Future()
            if under_way is None:
                self._in_flight[key] = mine
        if under_way is not None:
            return under_way.result()
        self._answer(key, mine, call)
        return mine.result()

    def _answer(self, key: Hashable, mine: Future[Answer], call: Callable[[], Answer]) -> None:
        try:
            answer = call()
        except BaseException as failure:  # whatever ends this thread, the ones that wait must not wait for ever
            self._leave(key)
            mine.set_exception(failure)
        else:
            self._leave(key)
            mine.set_result(answer)

    def _leave(self, key: Hashable) -> None:
        with self._turn:
            del self._in_flight[key]


class MergedSource:
    """`source`, whose questions for the same span are merged by `merged`, which all sources of a program share.

    `identity` says which source it is, for which token: two with the same one must give the same points.
    """

    def __init__(self, source: PriceSource, identity: str, merged: Merged[list[PricePoint]]) -> None:
        self._source = source
        self._identity = identity
        self._merged = merged

    @property
    def name(self) -> str:
        return self._source.name

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The source's points, a list of one's own; `asked_time` is that of the call that was made."""
        return list(self._merged.ask((self._identity, span), lambda: self._source.points(span, now)))
