"""A vault with rounds on the home chain, its shares on the other chain too, and an ERC-4626 vault there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS
from tests.integration.scene import START
from tests.integration.two_chains import TwoChains, quoted, table, texts, token
from tests.integration.vault_calls import DECIMALS
from tests.integration.vault_play import RandomPlay, yield_step
from tests.integration.vault_views import AwayShares, RoundVault, ShareMoment, VaultMoment, Yield, YieldMoment
from tools.evm.functions import Function
from tools.evm.node import BLOCK_SECONDS, Transaction

ROUND_RATE, DAY_RATE = "1.5", "0.25"
"""Points per dollar and round of the one vault, per dollar-day of the other."""
Noted = VaultMoment | ShareMoment | YieldMoment


@dataclass
class VaultScene:
    """`vault` on the home chain; `shares` (its own, by bridge) and `yields` (ERC-4626) on the other one.

    Each has its own `moments`; `vault.starts` has the views right after each roll.
    """

    chains: TwoChains
    vault: RoundVault
    shares: AwayShares
    yields: Yield
    bridge: RandomPlay

    @classmethod
    def deploy(cls, chains: TwoChains, seed: int = 1) -> "VaultScene":
        vault, shares = RoundVault.deploy(chains.home.node), AwayShares.deploy(chains.away.node)
        scene = cls(chains, vault, shares, Yield.deploy(chains.away.node), RandomPlay(Random(seed), vault, shares))
        scene.note()
        return scene

    @property
    def nobodys(self) -> tuple[Address, Address]:
        """The vault and its shares' contract on the other chain: what they hold is nobody's."""
        return self.vault.address, self.shares.address

    # What is done -----------------------------------------------------------------------------------------------------

    def send(self, sender: Address, to: Address, call: Function, *values: object, time: int | None = None) -> Noted:
        """One call on one of the three contracts, or on the assets, and what its chain's contract says after it."""
        at = self.chains.now + BLOCK_SECONDS if time is None else time
        if to in (self.vault.address, self.vault.asset):
            return self.vault.send_all((sender, to, call(*values)), time=at)
        if to in (self.yields.address, self.yields.asset):
            return self.yields.send_all((sender, to, call(*values)), time=at)
        self.chains.away.node.mine([Transaction(sender, to, call(*values))], at)
        return self.shares.note()

    def pass_time(self, time: int) -> None:
        """An empty block at `time` on both chains."""
        self.chains.pass_time(time)
        self.note()

    def note(self) -> None:
        """What all three contracts say now."""
        self.vault.note()
        self.shares.note()
        self.yields.note()

    def play(self, until: int, steps: int) -> None:
        """So many blocks of seeded history at seeded times from now to `until`, on either chain."""
        random = self.bridge.random
        times = sorted(random.sample(range(self.chains.now + 1, until), steps))
        for time in times:
            if random.random() < 0.3:
                yield_step(random, self.yields, time)
            else:
                self.bridge.step(time)

    def play_days(self, days: int = 3, steps: int = 30) -> None:
        """A while before the start, then days with `steps` blocks and a roll each, with both chains at each midnight.

        The first day's roll stands in the very second of a block of the other chain.
        """
        self.play(START, steps)
        self.pass_time(START)
        for day in range(days):
            self.play(START + day * DAY_SECONDS + DAY_SECONDS // 2, steps // 2)
            noon = START + day * DAY_SECONDS + DAY_SECONDS // 2 + BLOCK_SECONDS
            if not day:
                self.chains.away.node.mine_at(noon)
                self.shares.note()
            self.bridge.roll(noon)
            self.play(START + (day + 1) * DAY_SECONDS, steps - steps // 2)
            self.pass_time(START + (day + 1) * DAY_SECONDS)

    # The program file -------------------------------------------------------------------------------------------------

    def tables(self, prices: Mapping[str, str] | None = None) -> str:
        """Assets and vaults. `prices`: sources by symbol, USDX or USDY; one dollar by default."""
        home, away, told = self.chains.home, self.chains.away, dict(prices or {})
        dollar = '{ fixed = "1" }'
        assets = token("USDX", home, self.vault.asset, DECIMALS, told.get("USDX", dollar)) + token(
            "USDY", away, self.yields.asset, DECIMALS, told.get("USDY", dollar)
        )
        bridged = f"{{ chain = {quoted(away.name)}, address = {quoted(self.shares.address)}, start_block = "
        rounds = table(
            "pools",
            chain=quoted(home.name),
            protocol=quoted("stream_vault"),
            address=quoted(self.vault.address),
            start_block=str(self.vault.start_block),
            tokens=texts("USDX"),
            deployments=f"[{bridged}{self.shares.start_block} }}]",
        )
        yields = table(
            "pools",
            chain=quoted(away.name),
            protocol=quoted("erc4626"),
            address=quoted(self.yields.address),
            start_block=str(self.yields.start_block),
            tokens=texts("USDY"),
        )
        return assets + rounds + yields

    def points(self) -> str:
        """By the round for the one vault, by the day for the other."""
        droplets = table(
            "points",
            name=quoted("droplets"),
            pools=texts(self.vault.address),
            per_usd_per_round=quoted(ROUND_RATE),
            require_no_unstake="true",
        )
        return droplets + table(
            "points", name=quoted("drops"), pools=texts(self.yields.address), per_usd_day=quoted(DAY_RATE)
        )

    def program(self, *tables: str) -> Path:
        """The scene's program, with what other scenes add."""
        return self.chains.program(self.tables(), self.points(), *tables)
