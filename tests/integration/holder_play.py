"""Seeded histories of contracts that hold for others: everything that people do with them, as far as it can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from loyalty.core.address import ZERO_ADDRESS, Address
from tests.integration import curve_scene as curve
from tests.integration import holder_scene as holders
from tests.integration import vault_calls as vaults
from tests.integration.holder_scene import KEEPER, HolderMoment, HolderScene, Position
from tests.integration.scene import ALICE, BOB, CAROL, DAVE, MALLORY, TRADER
from tests.integration.vault_calls import PEOPLE

Sent = tuple[Address, Address, bytes]
MOST_POSITIONS = 12


@dataclass
class HolderPlay:
    """Plays the scene; each step is one block."""

    random: Random
    scene: HolderScene

    def open(self) -> None:
        """The cases that are rare: an NFT and gauge tokens sent astray, a managed range while nobody has its shares."""
        scene, venue, middle = self.scene, self.scene.curve.ng, 6_000
        for owner in (BOB, ALICE, CAROL, MALLORY):
            scene.mint(owner, -middle, middle, self.random.randint(10_000, 30_000))
        _, alices, carols, mallorys = scene.token_ids[-4:]
        astray = scene.scene.uniswap.manager.transfer(MALLORY, scene.staker, mallorys)
        scene.send_all((MALLORY, astray.to, astray.data))
        scene.send(ALICE, scene.nft, holders.SAFE_TRANSFER, ALICE, scene.staker, alices)
        scene.send(CAROL, scene.user_staker, holders.USER_DEPOSIT, carols, DAVE)
        scene.send(KEEPER, scene.manager, holders.RANGE_DONATE, 10**14)
        scene.send(ALICE, venue.pool, curve.NG_ADD, curve.ng_amounts(self.random.randint(10_000, 30_000)), 0, ALICE)
        part = scene.curve.balance(venue.lp_token, ALICE) // 4
        scene.send(ALICE, venue.gauge, curve.DEPOSIT, 2 * part, ALICE)
        scene.send(ALICE, scene.receipts, holders.RECEIPT_STAKE, part, BOB)
        scene.send(ALICE, venue.gauge, vaults.TRANSFER, scene.receipts, part // 50)
        scene.send(ALICE, scene.lp_vault.address, vaults.YIELD_DEPOSIT, part, CAROL)

    def step(self, time: int | None = None) -> HolderMoment:
        """A swap, a new position, or what one or two people do on one side of the scene."""
        moment = self.scene.moments[-1]
        luck = self.random.random()
        if luck < 0.12:
            return self.scene.swap(self.random.randint(-2_500, 2_500), time)
        if luck < 0.24 and len(self.scene.token_ids) < MOST_POSITIONS:
            half = 60 * self.random.randint(1, 50)
            return self.scene.mint(self.random.choice(PEOPLE), -half, half, self.random.randint(1_000, 20_000), time)
        sides = self.random.sample([self._nfts, self._range, self._lp_tokens, self._receipts, self._lp_vault], 2)
        sent: list[Sent] = []
        for side in sides:  # of two different people, so that the one takes nothing from under the other
            possible = [each for each in side(moment) if not sent or each[0] != sent[0][0]]
            sent += [self.random.choice(possible)] if possible else []
        return self.scene.send_all(*sent, time=time)

    # Uniswap ----------------------------------------------------------------------------------------------------------

    def _nfts(self, moment: HolderMoment) -> Iterator[Sent]:
        for position in moment.positions:
            yield from self._nft(position)

    def _nft(self, position: Position) -> Iterator[Sent]:
        token_id, other = position.token_id, self.random.choice(PEOPLE)
        manager, scene = self.scene.scene.uniswap.manager, self.scene
        added = manager.increase(token_id, *scene.scene.units(self.random.randint(1, 5_000)))
        yield other, added.to, added.data  # whoever pays
        if position.owner in PEOPLE:
            owner = position.owner
            yield self._sent(owner, scene.nft, holders.SAFE_TRANSFER, owner, scene.staker, token_id)
            yield self._sent(owner, scene.staker, holders.STAKE, token_id)
            yield self._sent(owner, scene.user_staker, holders.USER_DEPOSIT, token_id, other)
            less = manager.decrease(token_id, self.random.randint(1, max(position.liquidity // 2, 1)))
            if position.liquidity > 1:
                yield owner, less.to, less.data
            for to in (other, *self.random.sample([scene.staker, scene.user_staker], 1)):
                sent = manager.transfer(owner, to, token_id)  # plainly: in a staker it has no depositor
                yield owner, sent.to, sent.data
        elif position.depositor != ZERO_ADDRESS:
            yield from self._staked(position, other)

    def _staked(self, position: Position, other: Address) -> Iterator[Sent]:
        token_id, depositor = position.token_id, position.depositor
        if position.owner == self.scene.staker:
            yield self._sent(depositor, position.owner, holders.TRANSFER_DEPOSIT, token_id, other)
            yield self._sent(depositor, position.owner, holders.WITHDRAW_TOKEN, token_id, other)
        else:
            yield self._sent(depositor, position.owner, holders.USER_WITHDRAW, token_id)

    def _range(self, moment: HolderMoment) -> Iterator[Sent]:
        manager, person, other = self.scene.manager, *self.random.sample(PEOPLE, 2)
        liquidity = self.random.randint(10**13, 10**15)
        if not moment.range.liquidity or self.random.random() < 0.1:
            yield self._sent(KEEPER, manager, holders.RANGE_DONATE, liquidity)
        if moment.range.liquidity:  # so that it holds something while nobody has shares
            yield self._sent(person, manager, holders.RANGE_DEPOSIT, liquidity, other)
        if moment.range.liquidity:
            lower = self.scene.scene.middle + 60 * self.random.randint(-60, 20)
            upper = lower + 60 * self.random.randint(1, 60)
            yield self._sent(KEEPER, manager, holders.RANGE_REBALANCE, lower, upper, moment.range.liquidity)
        for holder, held in self._held_by_people(moment, manager):
            if moment.range.liquidity:
                yield self._sent(holder, manager, holders.RANGE_WITHDRAW, self._some(held), other)
            yield self._sent(holder, manager, vaults.TRANSFER, other, self._some(held))

    # Curve ------------------------------------------------------------------------------------------------------------

    def _lp_tokens(self, moment: HolderMoment) -> Iterator[Sent]:
        venue, person = self.scene.curve.ng, self.random.choice(PEOPLE)
        amounts = curve.ng_amounts(self.random.randint(100, 20_000))
        yield self._sent(person, venue.pool, curve.NG_ADD, amounts, 0, self.random.choice(PEOPLE))
        in_hand, staked = (moment.curve.balances[token] for token in venue.shares)
        if moment.curve.supply[venue.pool]:
            exchanged = self.random.randint(1, 10**9)
            yield self._sent(TRADER, venue.pool, curve.NG_EXCHANGE, 0, 1, exchanged, 0, TRADER)
        if held := in_hand.get(person):
            yield self._sent(person, venue.gauge, curve.DEPOSIT, self._some(held), self.random.choice(PEOPLE))
            yield self._sent(person, venue.pool, curve.NG_REMOVE, held // 3, [0, 0, 0], person, False)
        if held := staked.get(person):
            yield self._sent(person, venue.gauge, curve.WITHDRAW, self._some(held))

    def _receipts(self, moment: HolderMoment) -> Iterator[Sent]:
        receipts, gauge, other = self.scene.receipts, self.scene.curve.ng.gauge, self.random.choice(PEOPLE)
        for holder in PEOPLE:
            if held := moment.curve.balances[gauge].get(holder):
                yield self._sent(holder, receipts, holders.RECEIPT_STAKE, self._some(held), other)
                if self.random.random() < 0.1:  # plainly: no receipt for these
                    yield self._sent(holder, gauge, vaults.TRANSFER, receipts, 1 + held // 50)
        for holder, held in self._held_by_people(moment, receipts):
            yield self._sent(holder, receipts, holders.RECEIPT_UNSTAKE, self._some(held), other)
            yield self._sent(holder, receipts, vaults.TRANSFER, other, self._some(held))

    def _lp_vault(self, moment: HolderMoment) -> Iterator[Sent]:
        vault, lp_token, other = self.scene.lp_vault.address, self.scene.curve.ng.lp_token, self.random.choice(PEOPLE)
        for holder in PEOPLE:
            if held := moment.curve.balances[lp_token].get(holder):
                yield self._sent(holder, vault, vaults.YIELD_DEPOSIT, self._some(held), other)
                if moment.supply[vault]:
                    yield self._sent(holder, lp_token, vaults.TRANSFER, vault, 1 + held // 50)  # yield
        for holder, held in self._held_by_people(moment, vault):
            yield self._sent(holder, vault, vaults.YIELD_REDEEM, self._some(held), other, holder)
            yield self._sent(holder, vault, vaults.TRANSFER, other, self._some(held))

    # Both -------------------------------------------------------------------------------------------------------------

    def _held_by_people(self, moment: HolderMoment, contract: Address) -> Iterator[tuple[Address, int]]:
        return ((holder, held) for holder, held in moment.shares[contract].items() if holder in PEOPLE)

    def _sent(self, sender: Address, to: Address, call: Any, *values: object) -> Sent:
        return sender, to, call(*values)

    def _some(self, units: int) -> int:
        return self.random.choice([units, self.random.randint(1, units)])
