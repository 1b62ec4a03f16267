"""One chain of a program: its endpoints, its event loop, and what runs on it, each made when it is first asked for."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from loyalty import metrics
from loyalty.chain.chain import Chain, open_chain
from loyalty.config import ChainSettings
from loyalty.core.errors import Unavailable
from loyalty.jobs.ask_shares import ShareAsker
from loyalty.jobs.check_supplies import SupplyChecker
from loyalty.jobs.classify import Classifier
from loyalty.jobs.index import Indexer
from loyalty.program.rules import Rules
from loyalty.state import blocks
from loyalty.state.engine import State

Result = TypeVar("Result")

LOOK_SECONDS = 0.2
"""How often a step looks whether the process is to end."""
GRACE_SECONDS = 5.0
"""So long a step may go on then. It keeps nothing before it is whole, and an endpoint can be waited for longer."""


@dataclass
class OneChain:
    """Steps of one chain run one after the other on an event loop of its own, so that its connections stay open."""

    state: State
    rules: Rules
    settings: ChainSettings
    stopping: threading.Event
    _busy: threading.Lock = field(default_factory=threading.Lock)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def run(self, step: Coroutine[Any, Any, Result]) -> Result:
        """What the step gives; Unavailable where the process is to end before."""
        with self._busy:
            return self._runner.run(self._unless_stopping(step))

    def close(self) -> None:
        """Let go of the endpoints and of the event loop."""
        with self._busy:
            if "chain" in self.__dict__:
                self._runner.run(self.chain.close())
            self._runner.close()

    async def _unless_stopping(self, step: Coroutine[Any, Any, Result]) -> Result:
        task, grace = asyncio.ensure_future(step), GRACE_SECONDS
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            if self.stopping.is_set():
                grace -= LOOK_SECONDS
            if grace <= 0 and not task.done():
                while not task.done():  # one that ends in the same moment as a time limit can be lost
                    task.cancel()
                    await asyncio.wait([task], timeout=LOOK_SECONDS)
                raise Unavailable(
                    f"{self.settings.name}: a step was given up, for the process is to end; nothing of it was kept"
                )
        return task.result()

    @cached_property
    def chain(self) -> Chain:
        return open_chain(
            self.settings.name,
            self.settings.id,
            [endpoint.get_secret_value() for endpoint in self.settings.endpoints],
            confirmations=self.settings.confirmations,
            timeout_seconds=self.settings.timeout,
            parallel=self.settings.parallel,
            most_blocks=self.settings.span_blocks,
            base=self.settings.base,
            not_before=self._last_time(),
            observe=metrics.observe_rpc,
        )

    def _last_time(self) -> int | None:
        """The time of the last indexed block: a recording's clock goes on from there after a restart."""
        with self.state.read() as connection:
            header = blocks.last(connection, self.settings.id)
        return header.time if header else None

    @cached_property
    def indexer(self) -> Indexer:
        managers = {manager.address: manager.start_block for manager in self.settings.position_managers}
        return Indexer(self.state, self.chain, managers, self.rules.start)

    @cached_property
    def asker(self) -> ShareAsker:
        return ShareAsker(self.state, self.chain, self.rules)

    @cached_property
    def classifier(self) -> Classifier:
        return Classifier(self.state, self.chain)

    @cached_property
    def checker(self) -> SupplyChecker:
        return SupplyChecker(self.state, self.chain)
