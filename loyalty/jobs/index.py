"""Index: the next span of a chain's logs becomes facts, in one transaction, or nothing does."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loyalty.chain.chain import Chain, Reading
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Inconsistent, Invalid, Unavailable
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs import backfill
from loyalty.jobs.followers import curve, erc4626, nft_staker, shares, stream_vault, uniswap_v3
from loyalty.jobs.followers.turn import Follower, Plan, Turn
from loyalty.jobs.next_plan import Sight, next_plan
from loyalty.jobs.rewind import Rewound, common_ancestor, rewind
from loyalty.jobs.step_blocks import StepBlocks
from loyalty.state import StateTransaction, backfills, blocks, chains, cursors
from loyalty.state.chains import ChainState
from loyalty.state.engine import State

SPAN_BLOCKS_FIRST = 2_000
LOGS_WANTED = 20_000
"""How many logs a step should bring: enough to be worth its transaction, few enough for the memory."""
BESIDE_SECONDS = 2.0
"""What a step of those that are behind may take while others are at the head: as long as they wait for it, and no
longer than the pause between two looks at the head anyway."""


class Step(NamedTuple):
    """What one step did. `events` counts facts; `behind` the blocks still to index up to the head."""

    chain: str
    span: Span
    events: int
    logs: int
    end: Header
    behind: int
    seconds: float


class Indexer:
    """Indexes one chain of a program, a step at a time: tips, reorgs, spans and the transaction. What a protocol's logs
    mean is its follower's.

    The ledgers in memory are folds of the stored facts: dropped when a step fails, built again by the next one.
    """

    def __init__(
        self,
        state: State,
        chain: Chain,
        managers: Mapping[Address, int],
        program_start: int,
        span_blocks: int | None = None,
    ) -> None:
        self.state = state
        self.chain = chain
        self._program_start = program_start
        self._blocks = StepBlocks(span_blocks or SPAN_BLOCKS_FIRST, LOGS_WANTED)
        self._blocks_beside = StepBlocks(SPAN_BLOCKS_FIRST, LOGS_WANTED, BESIDE_SECONDS)
        self._catching_up = False
        self._followers: dict[str, Follower] = {
            uniswap_v3.PROTOCOL: uniswap_v3.UniswapV3Follower(state, chain, managers),
            curve.PROTOCOL: curve.CurveFollower(state, chain),
            stream_vault.PROTOCOL: stream_vault.StreamVaultFollower(state, chain),
            erc4626.PROTOCOL: erc4626.Erc4626Follower(state, chain),
            shares.KIND: shares.SharesFollower(state, chain),
            nft_staker.KIND: nft_staker.NftStakerFollower(state, chain),
        }

    async def step(self, now: int, until: int | None = None) -> Step | Rewound | None:
        """A span indexed, a rewind, or None where nothing is left up to the head (or the block `until`)."""
        began = time.perf_counter()
        head, finalized = await self._tips()
        if (ancestor := await self._reorg(head)) is not None:
            return self._rewind(ancestor, now)
        start_block = await self._start_block(head, finalized)
        last = head.number if until is None else min(head.number, until)
        plan = self._plan(Sight(last, start_block, finalized))
        if plan is None:
            self._catching_up = False
            self._keep_tips(head, finalized)
            return None
        turns = [await self._follower(kind).begin(plan.of(kind)) for kind in plan.kinds]
        step_blocks = self._blocks_beside if plan.is_behind else self._blocks
        wanted_last = min(plan.start + step_blocks.blocks, plan.limit) - 1
        end = min((await self.chain.span_end(wanted_last)).number + 1, plan.limit)
        span = Span(plan.start, end)
        contradiction: Inconsistent | None = None
        try:
            reading = await self.chain.read(_read_all(turns, span), end=end)
        except Inconsistent as error:
            contradiction = error
        if (ancestor := await self._reorg(head)) is not None:  # the chain may have changed since the first look
            return self._rewind(ancestor, now)
        if contradiction is not None:
            raise contradiction
        self._check(plan, span, reading, turns)
        events = self._store(plan, span, reading, turns, head, finalized, now)
        for turn in turns:
            turn.keep()
        self._catching_up = not plan.is_behind and end > last
        behind = max(0, head.number + 1 - end)
        seconds = time.perf_counter() - began
        step_blocks.stepped(reading.result, seconds)
        return Step(self.chain.name, span, events, reading.result, reading.end_header, behind, seconds)

    def _rewind(self, ancestor: Header, now: int) -> Rewound:
        for follower in self._followers.values():
            follower.forget()
        return rewind(self.state, self.chain, ancestor, now)

    def _follower(self, kind: str) -> Follower:
        if kind not in self._followers:
            raise Invalid(
                f"a pool or contract on {self.chain.name} is stored as {kind}, which this release cannot index: "
                "install the release that stored it"
            )
        return self._followers[kind]

    async def _tips(self) -> tuple[Header, Header | None]:
        return await self.chain.head(), await self.chain.finalized()

    async def _reorg(self, head: Header) -> Header | None:
        """The common ancestor, where the newest stored block is no longer on the chain; None where it is.

        An endpoint whose head is below it and agrees on all that it has merely lags.
        """
        with self.state.read() as connection:
            known = chains.get(connection, self.chain.id)
            finalized_block = known.finalized_block if known else None
            stored = blocks.above(connection, self.chain.id, -1 if finalized_block is None else finalized_block)
            older = None if finalized_block is None else blocks.at_or_before(connection, self.chain.id, finalized_block)
        candidates = [header for header in [*stored, *([older] if older else [])] if header.number <= head.number]
        if not candidates:
            return None
        ancestor = await common_ancestor(self.chain, candidates, finalized_block)
        return None if ancestor == candidates[0] else ancestor

    async def _start_block(self, head: Header, finalized: Header | None) -> int | None:
        """The first block of the program; None while the chain has not reached the program's start.

        Until it is final or indexed past it is looked for anew: a reorg may have put another block there.
        """
        known = self._chain_state()
        if known.program_start_block is not None:
            return known.program_start_block
        if head.time < self._program_start:
            return None
        header = await self.chain.first_block_at(self._program_start)
        if header is None:
            return None
        if finalized is not None and header.number <= finalized.number:
            with StateTransaction(self.state) as connection:
                chains.set_program_start_block(connection, self.chain.id, header.number)
        return header.number

    def _chain_state(self) -> ChainState:
        with self.state.read() as connection:
            return chains.get(connection, self.chain.id)

    def _plan(self, sight: Sight) -> Plan | None:
        """Those at the head first; whenever they have reached it, one step of those that are behind."""
        with self.state.read() as connection:
            rows = cursors.all_on(connection, self.chain.id)
            caught_up = backfills.get(connection, self.chain.id)
        return next_plan(rows, sight, caught_up, catching_up=self._catching_up)

    def _store(
        self,
        plan: Plan,
        span: Span,
        reading: Reading[int],
        turns: Sequence[Turn],
        head: Header,
        finalized: Header | None,
        now: int,
    ) -> int:
        """Facts, blocks, cursors and tips, as one transaction; returns how many facts."""
        with StateTransaction(self.state) as connection:
            before = cursors.all_on(connection, self.chain.id)
            for cursor in plan.cursors:
                cursors.advance(connection, cursor, span.end)
            after = cursors.all_on(connection, self.chain.id)
            backfill.note(connection, self.chain.id, before, after, head.number, reading.result, now)
            counts: Counter[int] = Counter()
            for turn in turns:
                counts += turn.store(connection)
            blocks.add(connection, self.chain.id, _block_rows(span, reading, counts))
            chains.set_tips(connection, self.chain.id, head, finalized)
            if plan.start_block is not None and span.end >= plan.start_block:
                chains.set_program_start_block(connection, self.chain.id, plan.start_block)
            if finalized is not None:
                blocks.thin(connection, self.chain.id, finalized.number)
        return counts.total()

    def _check(self, plan: Plan, span: Span, reading: Reading[int], turns: Sequence[Turn]) -> None:
        """What each protocol knows of a pool's history, and that the program's start block is still the first one at
        or after its start.
        """
        for turn in turns:
            turn.check()
        last = reading.end_header
        if span.end == plan.start_block and span.contains(last.number) and last.time >= self._program_start:
            raise Unavailable(
                f"{self.chain.name}: the chain changed around block {span.end}, where the program starts; it is looked "
                "for again at the next turn"
            )

    def _keep_tips(self, head: Header, finalized: Header | None) -> None:
        known = self._chain_state()
        final_block = finalized.number if finalized else None
        if (known.head_block, known.finalized_block) != (head.number, final_block):
            with StateTransaction(self.state) as connection:
                chains.set_tips(connection, self.chain.id, head, finalized)


def _read_all(turns: Sequence[Turn], span: Span) -> Conversation[int]:
    """One conversation after the other, as of the same blocks; returns how many logs were looked at."""
    logs = 0
    for turn in turns:
        logs += yield from turn.read(span)
    return logs


def _block_rows(span: Span, reading: Reading[int], counts: Mapping[int, int]) -> list[tuple[Header, int]]:
    """Every block with events, and the span's last block where the endpoint has it."""
    headers = dict(reading.block_headers)
    if span.contains(reading.end_header.number):
        headers[reading.end_header.number] = reading.end_header
    return [(headers[number], counts.get(number, 0)) for number in sorted(headers)]
