"""Clocks and chains for tests: nothing sleeps, everything that would is written down."""

from dataclasses import dataclass, field

from loyalty.chain.chain import Chain, open_chain
from loyalty.chain.clock import Clock
from loyalty.chain.endpoint import Observe, observe_nothing
from loyalty.chain.failover import Patience
from tests.chain.rpc_server import Site

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
