"""Everything at once on two chains.

Home has a Uniswap pool, a Curve pool with its gauge, contracts that hold for others, a vault with rounds and a price
feed; the other chain has the vault's bridged shares and an ERC-4626 vault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol, TypeVar

from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from tests.integration import curve_scene
from tests.integration.feed_scene import FeedPlay, FeedScene
from tests.integration.holder_play import HolderPlay
from tests.integration.holder_scene import HolderScene, managers, uniswap_tables
from tests.integration.scene import START, play
from tests.integration.two_chains import TwoChains, quoted, table, texts
from tests.integration.vault_play import yield_step
from tests.integration.vault_scene import VaultScene
from tools.evm.node import BLOCK_SECONDS

LIQUIDITY_RATE = "0.5"
"""Points per dollar-day of the Uniswap and the Curve pool."""
QUIET = 120
"""Seconds around midnights and rolls in which nothing else happens."""
Step = tuple[int, Callable[[], object]]
"""When, and what is done then."""


class Noted(Protocol):
    """A moment of any scene."""

    @property
    def block(self) -> int: ...


Moment = TypeVar("Moment", bound=Noted)


def as_of(moments: Sequence[Moment], block: int) -> Moment | None:
    """What was said after a block, noted then or at the last block before that changed anything; None before that."""
    return next((moment for moment in reversed(moments) if moment.block <= block), None)


@dataclass
class WholeScene:
    """The scenes with their moments; `random` decides everything."""

    chains: TwoChains
    holders: HolderScene
    vaults: VaultScene
    feed: FeedScene
    random: Random

    @classmethod
    def deploy(cls, chains: TwoChains, seed: int = 1) -> "WholeScene":
        """Everything deployed, and the rare cases of the holders played, before the program's start."""
        random = Random(seed)
        vaults = VaultScene.deploy(chains, seed)
        scene = play(chains.home.node, chains.folder)
        holders = HolderScene.deploy(scene, curve_scene.deploy(scene))
        HolderPlay(random, holders).open()
        feed = FeedScene.deploy(chains.home.node)
        feed.note()
        return cls(chains, holders, vaults, feed, random)

    @property
    def curve_pool(self) -> curve_scene.Venue:
        """The Curve pool of the program."""
        return self.holders.curve.ng

    def play_days(self, days: int = 3, steps: int = 60) -> None:
        """From an hour before the start, days with `steps` blocks each beside the feed's hourly answers: two rolls a
        day, and a block on both chains at each midnight."""
        feed = FeedPlay(self.random, self.feed, 1_800, START + days * DAY_SECONDS // 2 // HOUR_SECONDS * HOUR_SECONDS)
        feed.answer(START - HOUR_SECONDS)
        self._pass_time(START)
        for midnight in range(START, START + days * DAY_SECONDS, DAY_SECONDS):
            planned = self._steps(midnight, steps)
            for hour in range(midnight, midnight + DAY_SECONDS, HOUR_SECONDS):
                planned.append((hour + 950, partial(feed.answer, hour)))
            for time in (midnight + 8 * HOUR_SECONDS, midnight + 17 * HOUR_SECONDS):
                planned.append((time, partial(self.vaults.bridge.roll, time)))
            for _, act in sorted(planned, key=lambda step: step[0]):
                act()
            self._pass_time(midnight + DAY_SECONDS)

    def _steps(self, midnight: int, count: int) -> list[Step]:
        """In the first quarter and the last twelve minutes of hours, when the feed is still."""
        quarters = [hour + second for hour in range(0, DAY_SECONDS, HOUR_SECONDS) for second in range(QUIET, 900)]
        ends = [hour + second for hour in range(0, DAY_SECONDS, HOUR_SECONDS) for second in range(3_200, 3_600 - QUIET)]
        times = self.random.sample(sorted(quarters + ends)[::BLOCK_SECONDS], count)
        return [(midnight + second, partial(self._act, midnight + second)) for second in times]

    def _act(self, time: int) -> None:
        luck = self.random.random()
        if luck < 0.5:
            HolderPlay(self.random, self.holders).step(time)
        elif luck < 0.8:
            self.vaults.bridge.step(time)
        else:
            yield_step(self.random, self.vaults.yields, time)

    def _pass_time(self, time: int) -> None:
        self.vaults.pass_time(time)
        self.holders.note()
        self.feed.note()

    def finish(self, time: int) -> None:
        """Empty blocks on both chains until what happened up to `time` is final."""
        self._pass_time(time)
        self.chains.finish(time + BLOCK_SECONDS)
        for each in (self.vaults, self.holders, self.feed):
            each.note()

    # The program file -------------------------------------------------------------------------------------------------

    def tables(self, third: str | None = None) -> str:
        """All pools, contracts that are looked through, and points; `third` prices ETHX, by the feed by default."""
        points = table(
            "points",
            name=quoted("liquidity"),
            pools=texts(self.holders.scene.pool.address, self.curve_pool.pool),
            per_usd_day=quoted(LIQUIDITY_RATE),
        )
        looked_through = self.holders.tables(self.chains.home.name)
        return self.pool_tables(third or self.feed.source()) + looked_through + self.vaults.points() + points

    def pool_tables(self, third: str = '{ file = "one.csv" }') -> str:
        """The pools and their tokens alone. The vault's asset is USDV here: the Curve pool has a USDX of its own."""
        home = self.chains.home.name
        curve = self.holders.curve.tables(home, [self.curve_pool], third)
        vaults = self.vaults.tables().replace('"USDX"', '"USDV"')
        return uniswap_tables(self.holders.scene, home) + curve + vaults

    def program(self, *more: str, file_name: str = "program.toml", epochs: int = 3, third: str | None = None) -> Path:
        """The program file, with more tables, such as exclusions."""
        return self.program_of(self.tables(third), *more, file_name=file_name, epochs=epochs)

    def program_of(self, *tables: str, file_name: str = "program.toml", epochs: int = 3) -> Path:
        """A program file of these tables alone, with the position managers that the Uniswap pool needs."""
        held_by = managers(self.holders.scene)
        return self.chains.program(*tables, file_name=file_name, managers=held_by, epochs=epochs)
