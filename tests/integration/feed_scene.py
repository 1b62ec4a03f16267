"""A Chainlink-like feed on a node: a proxy, one aggregator after another, and what the proxy itself says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from loyalty.core.address import Address
from tools.evm.functions import Function, function
from tools.evm.node import Node, RevertedError, Transaction
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

SOURCES = Path(__file__).parent.parent / "contracts" / "feeds"
_ROUND_DATA = ["uint80", "int256", "uint256", "uint256", "uint80"]
SUBMIT = function("submit", ["int256", "uint256"])
CORRECT = function("correct", ["uint256", "int256", "uint256"])
LATEST_ROUND = function("latestRound", results=["uint256"])
PROPOSE = function("proposeAggregator", ["address"])
CONFIRM = function("confirmAggregator", ["address"])
PHASE_ID = function("phaseId", results=["uint16"])
PHASE_AGGREGATOR = function("phaseAggregators", ["uint16"], ["address"])
LATEST_ROUND_DATA = function("latestRoundData", results=_ROUND_DATA)
GET_ROUND_DATA = function("getRoundData", ["uint80"], _ROUND_DATA)


class Answer(NamedTuple):
    """A round as the proxy tells it; its id holds the phase above bit 64."""

    round_id: int
    answer: int
    updated_at: int


class FeedMoment(NamedTuple):
    """What the proxy says after a block; no answer before the current aggregator's first."""

    block: int
    time: int
    phase: int
    latest: Answer | None


@dataclass
class FeedScene:
    """A feed. `aggregators` in the order of their phases; the last one may not be the proxy's yet."""

    node: Node
    proxy: Address
    aggregators: list[Address]
    start_block: int
    decimals: int
    moments: list[FeedMoment] = field(default_factory=list)

    @classmethod
    def deploy(cls, node: Node, decimals: int = 8) -> "FeedScene":
        start_block = node.header().number + 1
        first = node.create(DEPLOYER, creation_code(SOURCES, "Aggregator", decimals))
        proxy = node.create(DEPLOYER, creation_code(SOURCES, "FeedProxy", first))
        return cls(node, proxy, [first], start_block, decimals)

    # What is done to it ---------------------------------------------------------------------------------------------

    def answer(
        self, answer: int, updated_at: int, *, time: int | None = None, aggregator: Address | None = None
    ) -> FeedMoment:
        """The next round of the newest aggregator, or of another one, in a block at `time`."""
        return self._send((aggregator or self.aggregators[-1], SUBMIT(answer, updated_at)), time=time)

    def correct(self, round_id: int, answer: int, updated_at: int, *, time: int | None = None) -> FeedMoment:
        """Another answer for a round of the newest aggregator."""
        return self._send((self.aggregators[-1], CORRECT(round_id, answer, updated_at)), time=time)

    def add_aggregator(self) -> Address:
        """One that answers from now on; the proxy does not know it yet."""
        self.aggregators.append(self.node.create(DEPLOYER, creation_code(SOURCES, "Aggregator", self.decimals)))
        self.note()
        return self.aggregators[-1]

    def turn(self, time: int | None = None) -> FeedMoment:
        """The proxy's next phase: the newest aggregator."""
        newest = self.aggregators[-1]
        return self._send((self.proxy, PROPOSE(newest)), (self.proxy, CONFIRM(newest)), time=time)

    def _send(self, *calls: tuple[Address, bytes], time: int | None) -> FeedMoment:
        self.node.mine([Transaction(DEPLOYER, *call) for call in calls], time)
        return self.note()

    # What it says ---------------------------------------------------------------------------------------------------

    def note(self) -> FeedMoment:
        header = self.node.header()
        self.moments.append(FeedMoment(header.number, header.time, self._phase(), self._latest()))
        return self.moments[-1]

    def rounds(self) -> list[Answer]:
        """Every round of every phase, by the proxy's own getRoundData."""
        return list(self._rounds())

    def answer_at(self, second: int) -> Answer | None:
        """The answer in force: the last one updated until then, of the latest phase that has any."""
        known = [each for each in self.rounds() if each.updated_at <= second]
        return max(known, key=lambda each: each.round_id, default=None)

    def _rounds(self) -> Iterator[Answer]:
        for phase in range(1, self._phase() + 1):
            (aggregator,) = self._ask(PHASE_AGGREGATOR, phase)
            (count,) = LATEST_ROUND.answer(self.node.call(Address(aggregator.lower()), LATEST_ROUND()))
            for number in range(1, count + 1):
                round_id, answer, _, updated_at, _ = self._ask(GET_ROUND_DATA, phase << 64 | number)
                yield Answer(round_id, answer, updated_at)

    def _phase(self) -> int:
        return int(self._ask(PHASE_ID)[0])

    def _latest(self) -> Answer | None:
        try:
            round_id, answer, _, updated_at, _ = self._ask(LATEST_ROUND_DATA)
        except RevertedError:
            return None
        return Answer(round_id, answer, updated_at)

    def _ask(self, view: Function, *arguments: object) -> tuple[Any, ...]:
        return view.answer(self.node.call(self.proxy, view(*arguments)))

    def source(self, heartbeat: str = "25h") -> str:
        """The price source, as a program file writes it."""
        return f'{{ chainlink = "{self.proxy}", heartbeat = "{heartbeat}" }}'


@dataclass
class FeedPlay:
    """An answer an hour around `dollars`.

    At `turn_hour` another aggregator takes over: it has answered before the proxy turns to it, and the old one goes on
    for a while.
    """

    random: Random
    feed: FeedScene
    dollars: int
    turn_hour: int

    def answer(self, hour: int) -> None:
        """A while after the full hour, in a block half a minute later at most."""
        feed, unit = self.feed, 10**self.feed.decimals
        updated_at = hour + self.random.randint(1_000, 3_000)
        answer = self.dollars * unit * self.random.randint(900, 1_100) // 1_000 + self.random.randint(0, unit)
        if hour != self.turn_hour:
            feed.answer(answer, updated_at, time=updated_at + self.random.randint(0, 30))
            return
        old = feed.aggregators[-1]
        feed.add_aggregator()
        feed.answer(answer, updated_at, time=updated_at + 20)
        feed.turn()
        feed.answer(answer + 1, updated_at + 60, time=updated_at + 80, aggregator=old)
