"""Curve pools in the index: every transfer of their shares and of their coins, from each pool's start block on."""

from collections import Counter

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.kept_ledgers import KeptLedgers
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.curve.adapter import CurveSpan, read_span
from loyalty.protocols.curve.events import Generation
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool
from loyalty.state import share_pools, token_transfers
from loyalty.state.engine import State
from loyalty.state.share_pools import SharePool

PROTOCOL = "curve"


def curve_pool(stored: SharePool) -> CurvePool:
    """The pool in the adapter's words."""
    coins = tuple(address for address, _ in stored.coins)
    return CurvePool(stored.pool.address, stored.lp_token, coins, stored.gauges)


def fold(connection: Connection, stored: list[SharePool], before_block: int | None = None) -> CurveLedger:
    """The ledger of these pools (of one chain) as the stored facts below a block say."""
    generations = {each.pool.address: Generation(each.generation) for each in stored if each.generation is not None}
    ledger = CurveLedger([curve_pool(each) for each in stored], generations)
    followed = sorted({number for each in stored for number in each.followed})
    for transfer in token_transfers.of_tokens(connection, followed, before_block=before_block):
        ledger.apply(transfer)
    return ledger


class CurveFollower:
    """One ledger for the pools that stand at the same block: which they are changes seldom."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain
        self.kept: KeptLedgers[CurveLedger] = KeptLedgers()

    def forget(self) -> None:
        self.kept.forget()

    async def begin(self, plan: Plan) -> "CurveTurn":
        ledger = self.kept.take(plan)
        with self.state.read() as connection:
            stored = [share_pools.get(connection, pool_id) for pool_id in plan.ids]
            return CurveTurn(self, stored, ledger or fold(connection, stored, plan.start))


class CurveTurn:
    """The pools as they were stored before the span."""

    def __init__(self, follower: CurveFollower, stored: list[SharePool], ledger: CurveLedger) -> None:
        self._follower = follower
        self._stored = stored
        self._ledger = ledger
        self._end = 0
        self._found = CurveSpan([], {}, 0)

    def read(self, span: Span) -> Conversation[int]:
        self._end = span.end
        self._found = yield from read_span(self._ledger, span)
        return self._found.logs_read

    def check(self) -> None:
        """Nothing more: the fold has compared the supply with every liquidity event, the first one too."""

    def store(self, connection: Connection) -> Counter[int]:
        """A transfer that another pool has told already counts there."""
        new = token_transfers.insert(connection, self._follower.chain.id, self._found.transfers)
        for each in self._stored:
            generation = self._found.generations.get(each.pool.address)
            if generation is not None and generation != each.generation:
                share_pools.set_generation(connection, each.pool.id, generation.value)
        return Counter(transfer.block for transfer in new)

    def keep(self) -> None:
        self._follower.kept.keep(tuple(each.pool.id for each in self._stored), self._end, self._ledger)
