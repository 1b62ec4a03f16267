"""Clocks and chains for tests: nothing sleeps, everything that would is written down."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from loyalty.chain.chain import Chain, open_chain
from loyalty.chain.clock import Clock
from loyalty.chain.endpoint import Observe, observe_nothing
from loyalty.chain.failover import Patience
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from tests.chain.rpc_server import Site
from tests.chain.world import World, make_world

T = TypeVar("T")
WORLD = make_world(seed=1, blocks=300)

CHAIN_ID = 42161


@dataclass
class HandClock:
    """A clock that goes only when someone sleeps, or by hand."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)
    chance: float = 0.5

    def clock(self) -> Clock:
        return Clock(self.now, self.sleep, lambda: self.chance)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def chain_of(
    *sites: Site,
    clock: HandClock | None = None,
    confirmations: int = 0,
    timeout_seconds: float = 5.0,
    patience: Patience | None = None,
    parallel: int = 4,
    observe: Observe = observe_nothing,
) -> Chain:
    """The chain "arbitrum" over these sites, in this order."""
    return open_chain(
        "arbitrum",
        CHAIN_ID,
        [site.url for site in sites],
        confirmations=confirmations,
        timeout_seconds=timeout_seconds,
        parallel=parallel,
        patience=patience,
        clock=(clock or HandClock()).clock(),
        observe=observe,
    )


def run(chain: Chain, use: Callable[[Chain], Awaitable[T]]) -> T:
    async def main() -> T:
        try:
            return await use(chain)
        finally:
            await chain.close()

    return asyncio.run(main())


def all_logs(chain: Chain, world: World = WORLD) -> list[RawLog]:
    return run(chain, lambda chain: chain.logs([world.query()]))


def listen(queries: Sequence[LogQuery]) -> Generator[Sequence[LogQuery], Sequence[RawLog], list[RawLog]]:
    """The shortest conversation: one round."""
    return list((yield queries))
