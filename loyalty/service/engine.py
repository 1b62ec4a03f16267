"""The engine: a program with its database, chains and price sources, and each job as a plain call."""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from loyalty import metrics
from loyalty.config import (
    ChainlinkPrice,
    CoinGeckoPrice,
    DefiLlamaPrice,
    PoolPrice,
    Program,
    Settings,
    load_program,
)
from loyalty.core.errors import Invalid, NotFound, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.times import time_text
from loyalty.jobs.accrue import Accrued, Accruer
from loyalty.jobs.back_up import back_up
from loyalty.jobs.commands import Desk, execute, execute_pending
from loyalty.jobs.contracts import price_contracts
from loyalty.jobs.contracts.contract_facts import ContractFacts, contract_facts
from loyalty.jobs.contracts.holders import check_holder, unknown_holders
from loyalty.jobs.index import Step
from loyalty.jobs.prepare import Prepared, config_changes, prepare, unknown_pools
from loyalty.jobs.price import Priced, price, recorded_points
from loyalty.jobs.pricing.price_sources import Asking, price_sources, remember
from loyalty.jobs.record import Recorded, record
from loyalty.jobs.rewind import Rewound
from loyalty.jobs.score import Scored, Scorer
from loyalty.jobs.settle import SETTLED, Evaluated, settle
from loyalty.prices.coingecko_api import CoinGeckoKey
from loyalty.prices.merged import Merged
from loyalty.program.rules import PoolKey, Rules
from loyalty.service.database import database_lock, open_database, wall_clock
from loyalty.service.one_chain import OneChain
from loyalty.state import program_config
from loyalty.state.check import optimize
from loyalty.state.engine import State

_log = logging.getLogger(__name__)


@dataclass
class Engine:
    """Every job of a program.

    The CLI makes one for a single job, the worker one for all; only the holder of the worker lock may write with it.
    """

    settings: Settings
    program: Program
    state: State
    now: Callable[[], int] = wall_clock
    stopping: threading.Event = field(default_factory=threading.Event)
    _deriving: threading.Lock = field(default_factory=threading.Lock)
    """Days and epochs are computed by one thread at a time: a schedule's turn and a command never cross."""
    _registering: threading.Lock = field(default_factory=threading.Lock)
    _silent: set[int] = field(default_factory=set)
    """Chains whose contracts have still to be asked."""
    _merged: Merged[list[PricePoint]] = field(default_factory=Merged)
    """The questions to price sources that are under way, of the worker's turn and of commands."""
    _price_contracts: list[price_contracts.Found] = field(default_factory=list)
    """Feeds and pools that have answered and are still to be registered."""
    chains: dict[int, OneChain] = field(init=False)

    def __post_init__(self) -> None:
        self.chains = {
            chain.id: OneChain(self.state, self.rules, chain, self.stopping) for chain in self.program.chains
        }

    @classmethod
    def open(cls, settings: Settings, *, create: bool = True) -> Self:
        """The engine of the settings' program and database; chains are opened when first asked."""
        program = load_program(settings.program_path, settings)
        return cls(settings, program, open_database(settings, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for chain in self.chains.values():
            chain.close()
        self.state.close()

    @property
    def rules(self) -> Rules:
        return self.program.rules

    @property
    def grid_tokens(self) -> frozenset[str]:
        """The tokens whose prices come on the hourly grid."""
        return frozenset(
            each.token.symbol
            for each in self.program.tokens
            for p in each.prices
            if isinstance(p, CoinGeckoPrice | DefiLlamaPrice | ChainlinkPrice | PoolPrice)
        )

    def prepare(self, chain_ids: Collection[int] | None = None) -> Prepared:
        """Bind the database to the program, check the chains' endpoints and the new pools' contracts.

        With `chain_ids` only those chains are asked. Raises Unavailable where one of them does not answer.
        """
        self.check_program()
        asked = [each.id for each in self.program.chains if chain_ids is None or each.id in chain_ids]
        found: dict[PoolKey, ContractFacts] = {}
        for chain_id in asked:
            found |= self.ask_contracts(chain_id)
        return self.register(found, {each.id for each in self.program.chains} - set(asked))

    def check_program(self) -> None:
        """Refuses another program's file before any endpoint is asked."""
        config_changes(self.state, self.rules)

    def ask_contracts(self, chain_id: int) -> dict[PoolKey, ContractFacts]:
        """What the contracts of a chain's unknown pools say, its endpoints being of that chain.

        Contracts that are looked through are asked too, whether they are what the program file says.
        """
        one = self.chains[chain_id]

        async def asked() -> dict[PoolKey, ContractFacts]:
            await one.chain.check()
            for holder in unknown_holders(self.state, self.program, chain_id):
                await check_holder(one.chain, holder)
            sources = price_contracts.unknown(self.state, self.program, chain_id)
            self._price_contracts += await price_contracts.ask(one.chain, self.program, sources)
            unknown = unknown_pools(self.state, self.program, chain_id)
            return {pool.key: await contract_facts(one.chain, pool) for pool in unknown}

        return one.run(asked())

    def register(self, found: Mapping[PoolKey, ContractFacts], silent: Collection[int]) -> Prepared:
        """Bind the database to the program with what the contracts said; `silent` chains are asked by their index."""
        with self._registering:
            prepared = prepare(self.state, self.program, found, self.now(), silent, self._price_contracts)
            chains = [each.id for each in self.program.chains]
            unknown = {chain for chain in chains if self._has_unknown(chain)}
            self._silent = {*silent, *unknown}
        for change in prepared.changes:
            _log.info("rules changed key=%s before=%s after=%s from_epoch=%s", *change)
        return prepared

    def _prepare_late(self, chain_id: int) -> None:
        """A chain that was silent when the others were prepared is asked again, alone."""
        found = self.ask_contracts(chain_id)
        self.register(found, self._silent - {chain_id})
        if chain_id not in self._silent:
            _log.info("prepared chain=%s", self.chains[chain_id].chain.name)

    def bind(self) -> None:
        """As `prepare`, but no endpoint is asked where the database knows this program, its rules and its pools."""
        with self.state.read() as connection:
            known = program_config.latest(connection) is not None
        unknown = any(self._has_unknown(chain.id) for chain in self.program.chains)
        if not known or unknown or config_changes(self.state, self.rules):
            self.prepare()

    def _has_unknown(self, chain_id: int) -> bool:
        """Whether the file names a pool, or a contract to look through or to price a token by, that the database does
        not know yet."""
        return bool(
            unknown_pools(self.state, self.program, chain_id)
            or unknown_holders(self.state, self.program, chain_id)
            or price_contracts.unknown(self.state, self.program, chain_id)
        )

    def index_step(self, chain_id: int, until: int | None = None) -> Step | Rewound | None:
        """One step of a chain's index."""
        one = self.chains[chain_id]
        done = one.run(one.indexer.step(self.now(), until))
        match done:
            case Step():
                _log.info(
                    "indexed chain=%s blocks=%s..%s events=%s logs=%s behind=%s seconds=%.3f",
                    done.chain,
                    done.span.start,
                    done.span.end - 1,
                    done.events,
                    done.logs,
                    done.behind,
                    done.seconds,
                )
                last = done.span.end - 1
                metrics.observe_step(
                    done.chain, last_block=last, behind=done.behind, events=done.events, logs=done.logs
                )
            case Rewound():
                _log.warning(
                    "rewound chain=%s ancestor=%s time=%s blocks=%s facts=%s",
                    done.chain,
                    done.ancestor.number,
                    time_text(done.ancestor.time),
                    done.blocks,
                    done.facts,
                )
                metrics.observe_rewind(done.chain)
        return done

    def index(
        self,
        chain_id: int,
        until: int | None = None,
        told: Callable[[Step | Rewound], None] | None = None,
        seconds: float = math.inf,
    ) -> None:
        """Steps until the head (or the block `until`) is reached, or the engine is stopping.

        Where the head is reached and a backfill goes on beside it, no longer than `seconds`.
        """
        began, at_head = time.monotonic(), False
        if chain_id in self._silent:
            self._prepare_late(chain_id)
        while not self.stopping.is_set():
            done = self.index_step(chain_id, until)
            if done is None:
                break
            if told is not None:
                told(done)
            at_head = at_head or (isinstance(done, Step) and not done.behind)
            if at_head and time.monotonic() - began > seconds:
                break
        self.ask_shares(chain_id)
        self.classify(chain_id)
        one = self.chains[chain_id]
        one.run(one.checker.turn())

    def classify(self, chain_id: int) -> int:
        """Which large holders are contracts, as far as that is due; returns how many were looked at."""
        one = self.chains[chain_id]
        count = one.run(one.classifier.turn(self.now()))
        if count:
            _log.info("classified chain=%s holders=%s", one.chain.name, count)
        return count

    def ask_shares(self, chain_id: int) -> int:
        """What contracts say of their shares, as far as blocks are final: the next hours; returns how many answered."""
        one = self.chains[chain_id]
        count = one.run(one.asker.turn(self.now()))
        if count:
            _log.info("asked shares chain=%s answers=%s", one.chain.name, count)
        return count

    def price(self) -> list[Priced]:
        """Ask for the prices that are missing."""
        recordings = [one.chain.recording_facts() for one in self.chains.values()]
        recorded = recorded_points([each for each in recordings if each], self.rules, self.now())
        with httpx.Client(timeout=30) as client:
            asking = Asking(client, self._coingecko_key(), self._pause, self._merged)
            sources = price_sources(self.state, self.program, asking)
            try:
                done = price(self.state, self.rules, sources.by_token, self.now(), recorded, sources.held)
            finally:
                refused = remember(self.state, sources, self.now())
        metrics.observe_refusals(Counter((each.token, each.source, each.reason.value) for each in refused))
        for each in done:
            metrics.observe_prices(
                each.token, stored=each.stored, faulty_sources=[fault.source for fault in each.faults]
            )
            if each.stored:
                _log.info("priced token=%s points=%s late=%s", each.token, each.stored, each.late)
        return done

    def accrue(self) -> Accrued:
        """Compute the pool-days that are not closed."""
        managers = frozenset(m.address for chain in self.program.chains for m in chain.position_managers)
        began = time.perf_counter()
        with self._deriving:
            done = Accruer(self.state, self.rules, managers, self.grid_tokens, self.stopping.is_set).run()
        metrics.observe_unpriced(done.unpriced)
        if done.closed or done.unpriced:
            seconds = time.perf_counter() - began
            _log.info(
                "accrued closed=%s unpriced=%s open=%s seconds=%.3f", done.closed, done.unpriced, done.open, seconds
            )
        return done

    def score(self) -> Scored:
        """Count the points of rounds and days that are not counted for good."""
        with self._deriving:
            done = Scorer(self.state, self.stopping.is_set).run()
        metrics.observe_scored(closed=done.closed, unpriced=done.unpriced, open_periods=done.open)
        if done.closed or done.unpriced:
            _log.info("scored closed=%s unpriced=%s open=%s", done.closed, done.unpriced, done.open)
        return done

    def keep_priced(self) -> list[Priced]:
        """`price`, as a turn of the worker; Unavailable, once every token had its turn, where a source failed alone."""
        done = self.price()
        failed = [
            f"{each.token} from {fault.source}: {fault.error}"
            for each in done
            for fault in each.faults
            if any(fault.span.overlaps(span) for span in each.missing)
        ]
        if failed:
            raise Unavailable(f"no prices of {'; no prices of '.join(failed)}")
        return done

    def settle(self, until: int | None = None) -> list[Evaluated]:
        """Evaluate the epochs that have begun, and settle what is due (up to epoch `until`)."""
        with self._deriving:
            done = settle(self.state, self.now(), until, self.grid_tokens)
        for each in done:
            if each.status == SETTLED:
                _log.info("settled epoch=%s digest=%s", each.number, each.digest)
                metrics.observe_settled(each.number)
        return done

    def record(self, path: Path, chain_name: str | None = None, until: int | None = None) -> Recorded:
        """Write the recording of one chain, the only one where `chain_name` is None, up to a block that is final."""
        found = [chain for chain in self.program.chains if chain_name in (None, chain.name)]
        if len(found) != 1:
            names = ", ".join(chain.name for chain in self.program.chains)
            if chain_name is None:
                raise Invalid(f"a recording is of one chain: say which with --chain ({names})")
            raise NotFound(f"the program has no chain {chain_name!r}: it has {names}")
        one = self.chains[found[0].id]
        return one.run(record(self.state, self.program, one.chain, path, until))

    def back_up(self) -> dict[str, Any]:
        """A verified copy of the database into the backup folder."""
        return back_up(self.state, self.settings.backup_folder, self.settings.backups_kept, self.now())

    def optimize(self) -> int:
        """Maintenance that may run beside a writer: statistics for the planner, free pages given back."""
        return optimize(self.state)

    def execute_commands(self) -> int:
        """Carry out what API and CLI have asked."""
        return execute_pending(self.desk(), self.now())

    def execute(self, kind: str, arguments: dict[str, Any], actor: str) -> dict[str, Any]:
        """Carry one command out, now and here."""
        return execute(self.desk(), kind, arguments, actor, self.now())

    def lock(self) -> AbstractContextManager[None]:
        """Nobody else writes while this is held."""
        return database_lock(self.settings)

    def desk(self) -> Desk:
        return Desk(self.state, self.rules, self._settle_by_command, self.back_up)

    def _settle_by_command(self, until: int | None) -> list[dict[str, Any]]:
        """Whoever asks for a settlement wants it from today's prices and days, not from the last turn's."""
        self.price()
        self.accrue()
        self.score()
        return [each._asdict() for each in self.settle(until)]

    def _pause(self, seconds: float) -> None:
        """A pause that an orderly end cuts short."""
        self.stopping.wait(seconds)

    def _coingecko_key(self) -> CoinGeckoKey | None:
        key = self.settings.coingecko_key
        return CoinGeckoKey(self.settings.coingecko_plan, key.get_secret_value()) if key else None
