"""NFT stakers in the index: who deposited which position token, by the events that the program file declares."""

import json
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.facts import PositionStake
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.nft_stakers.adapter import read_span
from loyalty.protocols.nft_stakers.shape import parse_shape
from loyalty.protocols.nft_stakers.staker import Staker
from loyalty.state import followed_contracts, position_stakes
from loyalty.state.engine import State
from loyalty.state.followed_contracts import FollowedContract

KIND = "nft_staker"


def staker_detail(manager: Address, deposit: str, withdraw: str | None) -> str:
    """What is stored of a staker beside its address, as JSON: whose NFTs it holds, and its events as declared."""
    return json.dumps({"deposit": deposit, "manager": manager, "withdraw": withdraw}, sort_keys=True)


def staker_of(contract: FollowedContract) -> Staker:
    """The staker of a stored contract."""
    told = json.loads(contract.detail or "{}")
    shapes = [parse_shape(told["deposit"])]
    if told["withdraw"] is not None:
        shapes.append(parse_shape(told["withdraw"], withdraws=True))
    return Staker(contract.address, Address(told["manager"]), tuple(shapes))


class NftStakerFollower:
    """Keeps no ledger: a log of a staker says by itself whose a token is."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain

    def forget(self) -> None:
        """Nothing is kept."""

    async def begin(self, plan: Plan) -> "NftStakerTurn":
        with self.state.read() as connection:
            rows = followed_contracts.on_chain(connection, self.chain.id, KIND)
        return NftStakerTurn(self.chain.id, plan, [staker_of(row) for row in rows if row.id in plan.ids])


class NftStakerTurn:
    """A span of the stakers' logs."""

    def __init__(self, chain_id: int, plan: Plan, stakers: Sequence[Staker]) -> None:
        self._chain_id = chain_id
        self._plan = plan
        self._stakers = stakers
        self._stakes: list[PositionStake] = []

    def read(self, span: Span) -> Conversation[int]:
        found = yield from read_span(self._stakers, span)
        self._stakes = found.stakes
        return found.logs_read

    def check(self) -> None:
        """Nothing: a deposit of a token that is of no pool of the program is as good as any."""

    def store(self, connection: Connection) -> Counter[int]:
        ids = {cursor.address: cursor.id for cursor in self._plan.cursors}
        position_stakes.insert(connection, self._chain_id, ids, self._stakes)
        return Counter(stake.block for stake in self._stakes)

    def keep(self) -> None:
        """Nothing is kept."""
