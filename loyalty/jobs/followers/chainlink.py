"""Chainlink feeds in the index: every answer of the aggregators behind each proxy, phase by phase."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.core.facts import OracleAnswer
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.chainlink.adapter import read_answers
from loyalty.protocols.chainlink.contract import PHASE_ID, View, phase_aggregator
from loyalty.protocols.chainlink.phases import OPEN_END, Phase, bounded
from loyalty.state import feeds
from loyalty.state.cursors import Cursor
from loyalty.state.engine import State

KIND = "chainlink"

Answer = TypeVar("Answer")


async def ask(chain: Chain, view: View[Answer], proxy: Address) -> Answer:
    """What a feed's proxy says at the head. Raises Invalid where it does not answer as one."""
    return view.decode(await chain.call(proxy, view.payload), proxy)


class ChainlinkFollower:
    """Keeps no ledger: the phases and their bounds are stored."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain

    def forget(self) -> None:
        """Nothing is kept."""

    async def begin(self, plan: Plan) -> "ChainlinkTurn":
        with self.state.read() as connection:
            stored = {feed.id: feeds.phases(connection, feed.id) for feed in plan.cursors}
        found = await asyncio.gather(*(self._phases(feed, stored[feed.id]) for feed in plan.cursors))
        return ChainlinkTurn(self, dict(zip((feed.id for feed in plan.cursors), found, strict=True)))

    async def _phases(self, feed: Cursor, stored: Sequence[Phase]) -> list[Phase]:
        """Those that are stored, and the newer ones that the proxy names at the head, from the feed's cursor on.

        The newest one is asked again: a reorg may have put another aggregator in its place. A proxy that knows fewer
        speaks from an endpoint that lags.
        """
        count = await ask(self.chain, PHASE_ID, feed.address)
        known = list(stored)
        for number in range(max(1, len(known)), count + 1):
            aggregator = await ask(self.chain, phase_aggregator(number), feed.address)
            if aggregator is None:
                raise Invalid(
                    f"{feed.address} on {self.chain.name}: the feed has {count} phases, but no phase {number}"
                )
            if number > len(known) or known[number - 1].aggregator != aggregator:
                known[number - 1 :] = [Phase(aggregator, Span(feed.next_block, OPEN_END))]
        return known


class ChainlinkTurn:
    """The phases of each feed, by the id of its contract."""

    def __init__(self, follower: ChainlinkFollower, phases: Mapping[int, Sequence[Phase]]) -> None:
        self._follower = follower
        self._phases = phases
        self._answers: list[OracleAnswer] = []

    def read(self, span: Span) -> Conversation[int]:
        asked = [phase for phases in self._phases.values() for phase in phases]
        self._answers = yield from read_answers(asked, span)
        return len(self._answers)

    def check(self) -> None:
        """Nothing more: an answer that is no price is a fact too."""

    def store(self, connection: Connection) -> Counter[int]:
        """Also the phases, with the bounds that the answers show."""
        for contract_id, phases in self._phases.items():
            feeds.set_phases(connection, contract_id, bounded(phases, self._answers))
        new = feeds.insert(connection, self._follower.chain.id, self._answers)
        return Counter(answer.block for answer in new)

    def keep(self) -> None:
        """Nothing: what is stored is all."""
