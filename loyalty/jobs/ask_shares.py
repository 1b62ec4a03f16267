"""Ask shares: what contracts say of one share of theirs at the last block of every full hour, stored once and for good.

Only final blocks are asked, so no answer is ever rewound. Whoever asks later, with a node that still has the state,
comes to the same answers; a node that has forgotten it leaves the hour out, and its pool-day unpriced.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.core.address import checksum
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid
from loyalty.core.times import HOUR_SECONDS, time_text
from loyalty.program.rules import PoolKey, Rules
from loyalty.protocols.curve.contract import VIRTUAL_PRICE
from loyalty.protocols.vaults.erc4626.contract import convert_to_assets, decode_units
from loyalty.state import StateTransaction, pools, share_answers, vaults
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow
from loyalty.state.share_answers import ShareAnswer

AT_ONCE = 48
"""Hours asked in one turn: the head waits for them."""

_log = logging.getLogger(__name__)


class Question(NamedTuple):
    """What a pool is asked: one number by `payload`, the answer to `function`."""

    pool: PoolRow
    function: str
    payload: bytes

    def read(self, answer: bytes) -> int:
        """The number; Invalid where it is none or 0: an empty pool has no price."""
        if not (value := decode_units(answer, self.pool.address, self.function)):
            raise Invalid(f"{checksum(self.pool.address)} answers {self.function} with 0, which is no price")
        return value


class Refused(NamedTuple):
    """An hour that is left out, and why."""

    pool_id: int
    hour: int
    reason: str


class ShareAsker:
    """Asks one chain's contracts. Hours that were refused are not asked again while it lives."""

    def __init__(self, state: State, chain: Chain, rules: Rules) -> None:
        self._state = state
        self._chain = chain
        self._rules = rules
        self._refused: set[tuple[int, int]] = set()
        self._known: dict[int, Header] = {}

    async def turn(self, now: int) -> int:
        """The next hours that are due; returns how many answers were stored."""
        due = self._due(await self._chain.finalized())
        found = await asyncio.gather(*(self._ask(question, hour, now) for question, hour in due))
        answers = [each for each in found if isinstance(each, tuple) and not isinstance(each, Refused)]
        for each in found:
            if isinstance(each, Refused):
                self._refused.add((each.pool_id, each.hour))
                _log.warning("share not answered chain=%s hour=%s error=%s", self._chain.name, each.hour, each.reason)
        if answers:
            with StateTransaction(self._state, durable=True) as connection:
                for pool_id, answer in answers:
                    share_answers.insert(connection, pool_id, self._chain.id, answer)
        return len(answers)

    def _due(self, final: Header | None) -> list[tuple[Question, int]]:
        """The oldest hours without an answer, up to the final block, of each pool that is asked."""
        if final is None:
            return []
        with self._state.read() as connection:
            questions = self.questions()
            stored = {each.pool.id: share_answers.hours(connection, each.pool.id) for each in questions}
        due: list[tuple[Question, int]] = []
        for each in questions:
            missing = (
                hour
                for hour in _hours(self._rules, final.time)
                if hour not in stored[each.pool.id] and (each.pool.id, hour) not in self._refused
            )
            due += [(each, hour) for hour, _ in zip(missing, range(AT_ONCE), strict=False)]
        return due

    def questions(self) -> list[Question]:
        """The pools of the chain whose share is worth what their contract says."""
        told = {rule.pool for rule in self._rules.pools if rule.value != "holdings"}
        found: list[Question] = []
        with self._state.read() as connection:
            for pool in pools.all_pools(connection, self._chain.id):
                if pool.protocol == "erc4626":
                    payload = convert_to_assets(vaults.get(connection, pool.id).share_decimals)
                    found.append(Question(pool, "convertToAssets(uint256)", payload))
                elif PoolKey(pool.chain_id, pool.address) in told:
                    found.append(Question(pool, VIRTUAL_PRICE.function, VIRTUAL_PRICE.payload))
        return found

    async def _ask(self, question: Question, hour: int, now: int) -> tuple[int, ShareAnswer] | Refused:
        pool = question.pool
        block = await self._block_at(hour)
        if block is None or block.number < pool.start_block:
            return Refused(pool.id, hour, f"{checksum(pool.address)} is not deployed at {time_text(hour)}")
        try:
            value = question.read(await self._chain.call(pool.address, question.payload, block.number))
        except (Invalid, NoneCanAnswer) as error:
            return Refused(pool.id, hour, str(error))
        return pool.id, ShareAnswer(hour, block.number, value, now)

    async def _block_at(self, hour: int) -> Header | None:
        if hour not in self._known:
            before = (header for time, header in self._known.items() if time < hour)
            after = (header for time, header in self._known.items() if header.time > hour)
            found = await self._chain.last_block_at(hour, max(before, default=None), min(after, default=None))
            if found is None:
                return None
            self._known[hour] = found
        return self._known[hour]


def _hours(rules: Rules, final_time: int) -> Iterator[int]:
    """Every full hour of the program, its end included, that has a final block after it."""
    return iter(range(rules.start, min(rules.end + 1, final_time), HOUR_SECONDS))
