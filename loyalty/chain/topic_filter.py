"""Topic filters as eth_getLogs reads them."""

from collections.abc import Sequence

from loyalty.core.queries import LogQuery


class TopicFilter:
    """Which topics a query lets pass.

    `allowed` are its positions without trailing ones that allow any word: whether a log must have a topic there is read
    differently by different servers, so it is never asked.
    """

    def __init__(self, query: LogQuery) -> None:
        self.allowed = [frozenset(words) for words in query.topics]
        while self.allowed and not self.allowed[-1]:
            self.allowed.pop()
        self._places = [(place, words) for place, words in enumerate(self.allowed) if words]
        self._length = len(self.allowed)

    def passes(self, topics: Sequence[bytes]) -> bool:
        """Whether a log with these topics is asked for."""
        if len(topics) < self._length:
            return False
        for place, words in self._places:  # noqa: SIM110 - all() takes four times as long, and this is each log
            if topics[place] not in words:
                return False
        return True
