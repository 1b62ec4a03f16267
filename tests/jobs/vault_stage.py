"""A vault and its bridged shares on a second chain, played in plain Python, as facts in a real database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.score import Scored, Scorer
from loyalty.program.rules import PointsRule, PoolKey, PoolRule
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.stream_vault.adapter import read_span, read_transfers
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from loyalty.state import (
    State,
    StateTransaction,
    blocks,
    chains,
    cursors,
    points,
    pools,
    round_rolls,
    token_transfers,
    tokens,
    vault_events,
    vaults,
)
from tests.jobs.stage import CHAIN, START, Stage, at, block_of, default_rules, header, token
from tests.protocols.conftest import Driver
from tests.protocols.vaults.simulation import VAULT, Chain, StreamVault, Token

AWAY = CHAIN + 1
AWAY_SHARES = Address("0x" + "fb" * 20)
HOME_KEY, AWAY_KEY = PoolKey(CHAIN, VAULT), PoolKey(AWAY, AWAY_SHARES)
RULE = PointsRule("drops", {HOME_KEY: Fraction("1.5")}, {})
Lines = dict[int, list[tuple[str, int, str | None]]]


@dataclass
class VaultStage:
    """`vault` and `shares` are played, then `store`d."""

    stage: Stage

    vault: StreamVault = field(default_factory=lambda: StreamVault(Chain()))
    shares: Token = field(default_factory=lambda: Token(Chain(), AWAY_SHARES))

    @property
    def state(self) -> State:
        return self.stage.state

    def set_up(self, **changes: Any) -> "VaultStage":
        asset = token("X", 6)
        rules = default_rules()
        of_vault = [PoolRule(key, ("X",), Fraction(1), None, None) for key in (HOME_KEY, AWAY_KEY)]
        self.stage.set_up(tokens={**rules.tokens, "X": asset})
        with StateTransaction(self.state) as connection:
            asset_id, first = tokens.ids(connection)["X"], block_of(START - DAY_SECONDS)
            chains.ensure(connection, AWAY, "brook")
            home = pools.ensure(connection, CHAIN, VAULT, "stream_vault", asset_id, asset_id, first)
            away = pools.ensure(connection, AWAY, AWAY_SHARES, "stream_vault", asset_id, asset_id, first)
            vaults.ensure(connection, home, VAULT, 6)
            vaults.ensure(connection, away, AWAY_SHARES, 6, home)
        self.stage.new_rules(pools=(*rules.pools, *of_vault), points=(RULE,), **changes)
        return self

    def home_at(self, clock: str) -> StreamVault:
        self.vault.chain.at(block_of(at(clock)), at(clock))
        return self.vault

    def away_at(self, clock: str) -> Token:
        self.shares.chain.at(block_of(at(clock)), at(clock))
        return self.shares

    def store(self) -> None:
        """The facts of both chains, as the adapters read them."""
        everything = Span(0, block_of(at("9d 00:00")))
        read = Driver(self.vault.chain.logs)(read_span({VAULT: VaultLedger(VAULT, 6)}, everything))
        arrived = Driver(self.shares.chain.logs)(read_transfers({AWAY_SHARES: ShareLedger(AWAY_SHARES)}, everything))
        with StateTransaction(self.state) as connection:
            ids = {row.address: row.id for row in pools.all_pools(connection)}
            vault_events.insert(connection, CHAIN, ids, read.events)
            round_rolls.insert(connection, CHAIN, ids, read.rolls)
            token_transfers.insert(connection, CHAIN, read.transfers)
            token_transfers.insert(connection, AWAY, arrived)

    def seen(self, chain: int, clock: str) -> None:
        """Everything on the chain is indexed and final up to then."""
        self.seen_at(chain, at(clock))

    def seen_at(self, chain: int, time: int) -> None:
        tip = header(block_of(time))
        with StateTransaction(self.state) as connection:
            blocks.add(connection, chain, [(tip, 0)])
            chains.set_tips(connection, chain, tip, tip)
            for cursor in cursors.all_on(connection, chain):
                cursors.advance(connection, cursor, tip.number + 1)

    def score(self) -> Scored:
        self.stage.accrue()
        return Scorer(self.state).run()

    def rounds(self) -> dict[int, tuple[str, str | None]]:
        """Status and reason of each."""
        return {row.number: (row.status, row.reason) for row in self._periods()}

    def lines(self) -> Lines:
        with self.state.read() as connection:
            return {
                row.number: [(each.provider, each.points_micro, each.reason) for each in points.lines(connection, row)]
                for row in self._periods()
            }

    def _periods(self) -> Iterable[points.PeriodRow]:
        with self.state.read() as connection:
            home = pools.find(connection, *HOME_KEY)
            assert home is not None
            return list(points.periods(connection, home.id, "round").values())
