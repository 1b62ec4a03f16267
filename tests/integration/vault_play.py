"""Seeded histories of vaults: everything that people do with them, each as far as it can be done at that moment."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from loyalty.core.address import Address
from tests.integration import vault_calls as calls
from tests.integration.vault_calls import BRIDGE, KEEPER, PEOPLE, Sent
from tests.integration.vault_views import AwayShares, RoundVault, VaultMoment, Yield

HOME_ID, AWAY_ID = 1, 2
"""The bridge's own numbers of the chains."""


@dataclass
class RandomPlay:
    """Plays a vault with rounds and, where there is one, its shares on another chain; without one, shares that left by
    bridge come back to the vault's chain."""

    random: Random
    home: RoundVault
    away: AwayShares | None = None
    in_flight: list[tuple[bool, Address, int]] = field(default_factory=list)
    """What the bridge has still to bring: to the vault's chain or not, to whom, how many."""
    sent_by_bridge: int = 0

    def step(self, time: int | None = None) -> None:
        """One block on one of the chains."""
        if self.away is not None and self.random.random() < 0.3:
            self._away_block(self.away, time)
        else:
            self._home_block(time)

    @property
    def moment(self) -> VaultMoment:
        """What the vault says now, as nobody else acts."""
        return self.home.moments[-1] if self.home.moments else self.home.note()

    # The vault's chain ------------------------------------------------------------------------------------------------

    def _home_block(self, time: int | None) -> None:
        """Up to three people act in one block, and now and then the keeper rolls between them."""
        moment = self.moment
        actors = self.random.sample(PEOPLE, self.random.randint(1, 3))
        rolls_at = self.random.randrange(len(actors) + 1) if self.random.random() < 0.25 else len(actors) + 1
        sent: list[Sent] = []
        for place, account in enumerate(actors):
            if place == rolls_at:
                sent.append(self._roll(moment))
            sent += self._act(moment, account, place >= rolls_at)
        if rolls_at == len(actors):
            sent.append(self._roll(moment))
        self.home.send_all(*sent, time=time)

    def roll(self, time: int | None = None) -> VaultMoment:
        """A roll alone in its block."""
        return self.home.send_all(self._roll(self.moment), time=time)

    def _roll(self, moment: VaultMoment) -> Sent:
        """With a yield of up to three percent or a loss of up to two, in whole units of the asset."""
        worth = moment.omni_supply * moment.price_per_share // 10**calls.DECIMALS
        is_positive = self.random.random() < 0.7
        yielded = self.random.randint(0, worth * (3 if is_positive else 2) // 100)
        return self.home.sent(KEEPER, calls.ROLL, yielded, is_positive)

    def _act(self, moment: VaultMoment, account: Address, is_after_roll: bool) -> list[Sent]:
        """What the account can do; staking it always can."""
        held, owed, pending = moment.balances.get(account, 0), moment.owed(account), moment.pending(account)
        possible = [self._stake(account), self._stake(account)]
        if pending and not is_after_roll:
            possible.append(self.home.sent(account, calls.INSTANT_UNSTAKE, self._some(pending)))
        if owed:
            possible += [self.home.sent(account, calls.REDEEM, self._some(owed))]
            possible += [self.home.sent(account, calls.MAX_REDEEM)]
        if held + owed and moment.round > 1:
            possible.append(self.home.sent(account, calls.UNSTAKE, self._some(held + owed)))
        if held:
            other = self.random.choice([each for each in PEOPLE if each != account])
            possible.append(self.home.sent(account, calls.TRANSFER, other, self._some(held)))
            possible.append(self.home.sent(account, calls.TRANSFER, self.home.address, 1 + held // 1_000))
        chosen = self.random.choice([*possible, None, None])
        return [self._bridge(account, held)] if chosen is None else [chosen]

    def _stake(self, account: Address) -> Sent:
        """For oneself, or for somebody else."""
        creditor = self.random.choice([account, account, self.random.choice(PEOPLE)])
        return self.home.sent(account, calls.STAKE, self.random.randint(1, 10**10), creditor)

    def _bridge(self, account: Address, held: int) -> Sent:
        """Brings what waits for this chain; else sends some away, and where there is nothing to send, stakes."""
        waiting = [each for each in self.in_flight if each[0]]
        if waiting:
            return self.home.sent(BRIDGE, *self._arrival(waiting[0], AWAY_ID))
        if not held:
            return self._stake(account)
        units = self._some(held)
        self.in_flight.append((self.away is None, self.random.choice(PEOPLE), units))
        return self.home.sent(account, calls.BRIDGE_OUT, AWAY_ID, self._guid(), units)

    # The other chain --------------------------------------------------------------------------------------------------

    def _away_block(self, away: AwayShares, time: int | None) -> None:
        waiting = [each for each in self.in_flight if not each[0]]
        if waiting:
            away.send(BRIDGE, *self._arrival(self.random.choice(waiting), HOME_ID), time=time)
            return
        found = away.moments[-1].balances if away.moments else {}
        holders = [holder for holder in PEOPLE if holder in found]
        if not holders:
            self._home_block(time)
            return
        account = self.random.choice(holders)
        units = self._some(found[account])
        if self.random.random() < 0.5:
            recipient = self.random.choice([*PEOPLE, away.address])
            away.send(account, calls.TRANSFER, recipient, units, time=time)
        else:
            self.in_flight.append((True, self.random.choice(PEOPLE), units))
            away.send(account, calls.BRIDGE_OUT, HOME_ID, self._guid(), units, time=time)

    # Both -------------------------------------------------------------------------------------------------------------

    def _arrival(self, shares: tuple[bool, Address, int], source: int) -> tuple[Any, ...]:
        self.in_flight.remove(shares)
        _, recipient, units = shares
        return calls.BRIDGE_IN, source, self._guid(), recipient, units

    def _guid(self) -> bytes:
        self.sent_by_bridge += 1
        return self.sent_by_bridge.to_bytes(32)

    def _some(self, units: int) -> int:
        """All of it, or a part."""
        return self.random.choice([units, self.random.randint(1, units)])


def yield_step(random: Random, vault: Yield, time: int | None = None) -> None:
    """One block of an ERC-4626 vault over an asset that anyone can mint."""
    account, other = random.sample(PEOPLE, 2)
    said = vault.moments[-1] if vault.moments else vault.note()
    held = said.balances.get(account, 0)
    dollars = random.randint(1, 10**10)
    possible: list[tuple[Any, ...]] = [
        (calls.YIELD_DEPOSIT, dollars, other),
        (calls.YIELD_MINT, dollars * 10**12, account),
    ]
    if held:
        part = random.choice([held, random.randint(1, held)])
        possible.append((calls.TRANSFER, random.choice([other, vault.address]), part))
        possible.append((calls.YIELD_REDEEM, part, other, account))
        assets = calls.number(vault.node, vault.address, calls.CONVERT_TO_ASSETS, part)
        possible.append((calls.YIELD_WITHDRAW, assets, account, account))
    if random.random() < 0.25 and said.total_assets > 10**6:  # a yield of up to five percent
        vault.earn(random.randint(1, said.total_assets // 20), time)
        return
    call, *values = random.choice(possible)
    vault.send(account, call, *values, time=time)
