"""Staked positions: the depositor's while the staker owns the NFT, in whatever order the logs stand."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    LiquidityChange,
    PositionChange,
    PositionKey,
    PositionStake,
    PositionToken,
    PositionTransfer,
)
from loyalty.protocols.nft_stakers.ledger import StakedPositions
from loyalty.protocols.uniswap_v3.ledger import Ledger

POOL, MANAGER, STAKER, OTHER_STAKER, ALICE, BOB = (Address("0x" + each * 40) for each in "123456")
STAKERS = [STAKER, OTHER_STAKER]
LOWER, UPPER = -60, 60


class World:
    """One pool, its position ledger and the stakers'; each call is one log, `transaction()` begins the next block.

    `held` is what the changes that came out add up to, by owner and token id.
    """

    def __init__(self) -> None:
        self.ledger, self.staked = Ledger([MANAGER]), StakedPositions(STAKERS)
        self.block = self.index = 0
        self.held: Counter[tuple[Address, int]] = Counter()
        self.owners: dict[int, Address] = {}
        self.transaction()

    def transaction(self) -> None:
        self.block, self.index = self.block + 1, 0

    def mint(self, token_id: int, owner: Address, liquidity: int = 100) -> None:
        self._liquidity(token_id, liquidity)
        self.owners[token_id] = ZERO_ADDRESS
        self.transfer(token_id, owner)

    def increase(self, token_id: int, liquidity: int) -> None:
        self._liquidity(token_id, liquidity)

    def transfer(self, token_id: int, to: Address) -> None:
        fact = PositionTransfer(
            POOL, *self._here(), PositionToken(MANAGER, token_id), self.owners[token_id], to, self._hash
        )
        self.owners[token_id] = to
        self._told(fact, self.ledger.apply(fact))

    def stake(self, token_id: int, account: Address, staker: Address = STAKER) -> None:
        self._told(PositionStake(staker, *self._here(), PositionToken(MANAGER, token_id), account, self._hash), ())

    def _liquidity(self, token_id: int, delta: int) -> None:
        token = PositionToken(MANAGER, token_id)
        fact = LiquidityChange(POOL, *self._here(), MANAGER, LOWER, UPPER, delta, 0, 0, token, self._hash)
        self._told(fact, self.ledger.apply(fact))

    @property
    def _hash(self) -> bytes:
        return self.block.to_bytes(32)

    def _here(self) -> tuple[int, int, int]:
        self.index += 1
        return self.block, self.index, 10 * self.block

    def _told(
        self, fact: LiquidityChange | PositionTransfer | PositionStake, changes: Sequence[PositionChange]
    ) -> None:
        found = self.staked.apply(fact, changes)
        assert sum(each.liquidity_delta for each in found) == sum(each.liquidity_delta for each in changes)
        for change in found:
            token = change.position.token
            assert token is not None
            assert change.time == fact.time
            self.held[change.position.owner, token.token_id] += change.liquidity_delta
            assert self.held[change.position.owner, token.token_id] >= 0
        now = self.staked.positions(self.ledger.positions(POOL))
        assert now == {_key(*held): liquidity for held, liquidity in self.held.items() if liquidity}

    def whose(self, token_id: int = 7) -> dict[Address, int]:
        return {owner: held for (owner, number), held in self.held.items() if held and number == token_id}


def _key(owner: Address, token_id: int) -> PositionKey:
    return PositionKey(owner, LOWER, UPPER, PositionToken(MANAGER, token_id))


@pytest.fixture
def world() -> World:
    world = World()
    world.mint(7, ALICE)
    world.transaction()
    return world


def deposited(world: World, account: Address = ALICE) -> None:
    world.transfer(7, STAKER)
    world.stake(7, account)
    world.transaction()


def test_an_nft_that_came_before_its_event_is_its_depositor_s(world: World) -> None:
    world.transfer(7, STAKER)
    assert world.whose() == {STAKER: 100}
    world.stake(7, ALICE)
    assert world.whose() == {ALICE: 100}


def test_an_nft_that_comes_after_its_event_is_its_depositor_s(world: World) -> None:
    world.stake(7, BOB)
    assert world.whose() == {ALICE: 100}
    world.transfer(7, STAKER)
    assert world.whose() == {BOB: 100}


def test_a_deposit_in_a_later_transaction_counts_from_its_event_on(world: World) -> None:
    world.transfer(7, STAKER)
    world.transaction()
    world.stake(7, ALICE)
    assert world.whose() == {ALICE: 100}


def test_an_nft_sent_in_by_a_plain_transfer_stays_the_staker_s_own(world: World) -> None:
    world.transfer(7, STAKER)
    world.transaction()
    world.increase(7, 5)
    assert world.whose() == {STAKER: 105}


def test_an_event_before_the_nft_is_forgotten_with_its_transaction(world: World) -> None:
    world.stake(7, BOB)
    world.transaction()
    world.transfer(7, STAKER)
    assert world.whose() == {STAKER: 100}


def test_an_event_of_another_staker_says_nothing_here(world: World) -> None:
    world.stake(7, BOB, OTHER_STAKER)
    world.transfer(7, STAKER)
    world.stake(7, BOB, OTHER_STAKER)
    assert world.whose() == {STAKER: 100}


def test_a_deposit_that_is_transferred_is_the_new_depositor_s(world: World) -> None:
    deposited(world)
    world.stake(7, BOB)
    assert world.whose() == {BOB: 100}


@pytest.mark.parametrize("event_first", [True, False])
def test_a_withdrawn_nft_is_its_new_owner_s(world: World, event_first: bool) -> None:
    deposited(world)
    steps: list[Callable[[], None]] = [lambda: world.stake(7, ZERO_ADDRESS), lambda: world.transfer(7, BOB)]
    for step in steps if event_first else reversed(steps):
        step()
    assert world.whose() == {BOB: 100}


def test_between_a_withdrawal_and_its_transfer_it_is_nobody_s(world: World) -> None:
    deposited(world)
    world.stake(7, ZERO_ADDRESS)
    assert world.whose() == {STAKER: 100}


def test_a_deposit_ends_when_the_nft_leaves_without_an_event(world: World) -> None:
    deposited(world)
    world.transfer(7, BOB)
    world.transaction()
    world.transfer(7, STAKER)
    assert world.whose() == {STAKER: 100}


def test_an_nft_that_goes_from_one_staker_to_another_is_as_this_one_says(world: World) -> None:
    deposited(world)
    world.transfer(7, OTHER_STAKER)
    assert world.whose() == {OTHER_STAKER: 100}
    world.stake(7, BOB, OTHER_STAKER)
    assert world.whose() == {BOB: 100}


def test_what_is_added_to_or_taken_from_a_staked_nft_is_its_depositor_s(world: World) -> None:
    deposited(world)
    world.increase(7, 30)
    world.increase(7, -130)
    assert world.whose() == {}
    world.increase(7, 1)
    assert world.whose() == {ALICE: 1}


def test_an_empty_nft_that_is_deposited_and_filled_there_is_its_depositor_s(world: World) -> None:
    world.increase(7, -100)
    world.transfer(7, STAKER)
    world.stake(7, BOB)
    world.increase(7, 30)
    assert world.whose() == {BOB: 30}


def test_an_nft_minted_into_the_staker_has_no_depositor_until_one_is_told(world: World) -> None:
    world.mint(8, STAKER, 40)
    assert world.whose(8) == {STAKER: 40}
    world.stake(8, BOB)
    assert world.whose(8) == {BOB: 40}


def test_ranges_that_a_staker_owns_itself_stay_its_own() -> None:
    change = PositionChange(10, PositionKey(STAKER, LOWER, UPPER, None), 5)
    fact = LiquidityChange(POOL, 1, 1, 10, STAKER, LOWER, UPPER, 5, 0, 0, None, b"t")
    assert StakedPositions(STAKERS).apply(fact, [change]) == [change]


def test_facts_out_of_order_are_refused(world: World) -> None:
    world.stake(7, BOB)
    world.index -= 1
    with pytest.raises(Inconsistent, match="stakes and positions must come once, and in order"):
        world.stake(7, BOB)


class Truth:
    """Plays steps in a world, one transaction each, and keeps who deposited what in the plainest way."""

    def __init__(self, event_first: bool) -> None:
        self.world, self.event_first = World(), event_first
        self.liquidity = dict.fromkeys((1, 2, 3), 100)
        self.depositor: dict[int, Address | None] = dict.fromkeys((1, 2, 3))
        for token_id in self.liquidity:
            self.world.mint(token_id, ALICE)

    def come(self, token_id: int, person: Address, staker: Address, told: bool) -> None:
        if self.world.owners[token_id] in STAKERS:
            return
        if told and self.event_first:
            self.world.stake(token_id, person, staker)
        self.world.transfer(token_id, staker)
        if told and not self.event_first:
            self.world.stake(token_id, person, staker)
        self.depositor[token_id] = person if told else None

    def event(self, token_id: int, person: Address, staker: Address) -> None:
        self.world.stake(token_id, person, staker)
        if self.world.owners[token_id] == staker:
            self.depositor[token_id] = person

    def leave(self, token_id: int, person: Address, told: bool) -> None:
        staker = self.world.owners[token_id]
        if staker not in STAKERS:
            return
        if told and self.event_first:
            self.world.stake(token_id, ZERO_ADDRESS, staker)
        self.world.transfer(token_id, person)
        if told and not self.event_first:
            self.world.stake(token_id, ZERO_ADDRESS, staker)
        self.depositor[token_id] = None

    def change(self, token_id: int, delta: int) -> None:
        delta = max(delta, -self.liquidity[token_id])
        self.liquidity[token_id] += delta
        if delta:
            self.world.increase(token_id, delta)

    def expected(self, token_id: int) -> dict[Address, int]:
        owner, held = self.depositor[token_id] or self.world.owners[token_id], self.liquidity[token_id]
        return {owner: held} if held else {}


Step = Callable[[Truth, int, Address, Address], None]
STEPS: list[Step] = [
    lambda truth, token_id, person, staker: truth.come(token_id, person, staker, True),
    lambda truth, token_id, person, staker: truth.come(token_id, person, staker, False),
    lambda truth, token_id, person, staker: truth.event(token_id, person, staker),
    lambda truth, token_id, person, staker: truth.leave(token_id, person, True),
    lambda truth, token_id, person, staker: truth.leave(token_id, person, False),
    lambda truth, token_id, person, staker: truth.change(token_id, 9),
    lambda truth, token_id, person, staker: truth.change(token_id, -4),
    lambda truth, token_id, person, staker: truth.change(token_id, -(10**6)),
]
PLAYED = st.tuples(
    st.sampled_from(STEPS), st.integers(1, 3), st.sampled_from([ALICE, BOB]), st.sampled_from(STAKERS), st.booleans()
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PLAYED, max_size=25))
def test_at_every_log_all_liquidity_is_somebody_s_once(
    steps: list[tuple[Step, int, Address, Address, bool]],
) -> None:
    """The sums are compared at every log (`World`), who has what after every transaction."""
    truth = Truth(event_first=True)
    for step, token_id, person, staker, event_first in steps:
        truth.world.transaction()
        truth.event_first = event_first
        step(truth, token_id, person, staker)
        for each in truth.liquidity:
            assert truth.world.whose(each) == truth.expected(each)
