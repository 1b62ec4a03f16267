"""The one place where things are wired: settings to program, database, chains, price sources and jobs."""

import asyncio
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from loyalty import metrics
from loyalty.chain.chain import Chain, open_chain
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
from loyalty.jobs import price_contracts
from loyalty.jobs.accrue import Accrued, Accruer
from loyalty.jobs.ask_shares import ShareAsker
from loyalty.jobs.back_up import back_up
from loyalty.jobs.check_supplies import SupplyChecker
from loyalty.jobs.classify import Classifier
from loyalty.jobs.commands import Desk, execute, execute_pending
from loyalty.jobs.contract_facts import ContractFacts, contract_facts
from loyalty.jobs.holders import check_holder, unknown_holders
from loyalty.jobs.index import Indexer, Step
from loyalty.jobs.prepare import Prepared, config_changes, prepare, unknown_pools
from loyalty.jobs.price import Priced, price, recorded_points
from loyalty.jobs.price_sources import Asking, price_sources, remember
from loyalty.jobs.record import Recorded, record
from loyalty.jobs.rewind import Rewound
from loyalty.jobs.score import Scored, Scorer
from loyalty.jobs.settle import SETTLED, Evaluated, settle
from loyalty.prices.coingecko_api import CoinGeckoKey
from loyalty.prices.merged import Merged
from loyalty.program.rules import PoolKey, Rules
from loyalty.state import blocks, open_state, program_config
from loyalty.state.check import optimize
from loyalty.state.engine import State
from loyalty.state.lock import WorkerLock
from loyalty.state.migrate import upgrade
from loyalty.state.version import check_version

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

STOPPING_SECONDS = 0.2
"""How often a wait looks whether the process is to end."""


def wall_clock() -> int:
    """Unix seconds now: the only clock, and only the edge looks at it."""
    return int(time.time())


def open_database(settings: Settings, *, create: bool = True, migrate: bool = True) -> State:
    """The settings' database, upgraded to this release where `migrate` allows it; a newer one is refused."""
    state = open_state(settings.database, create=create)
    try:
        if migrate:
            upgrade(state)
        check_version(state)
    except BaseException:
        state.close()
        raise
    return state


def database_path(settings: Settings) -> Path | None:
    """The file of an SQLite database, given as a path or as a URL; None for PostgreSQL."""
    if "://" not in settings.database:
        return Path(settings.database)
    try:
        url = make_url(settings.database)
    except ArgumentError:
        raise Invalid("LOYALTY_DATABASE is neither a path nor a database URL such as postgresql://host/name") from None
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@contextmanager
def database_lock(settings: Settings) -> Iterator[None]:
    """Nobody else writes while this is held; Conflict, naming the worker, where one does already.

    PostgreSQL serializes writers by itself.
    """
    if (path := database_path(settings)) is None:
        yield
        return
    with WorkerLock(path, wall_clock()):
        yield


@dataclass
class Engine:
    """A program with its database, chains and prices, and each job as a plain call.

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
    _busy: dict[int, threading.Lock] = field(default_factory=dict)
    _runners: dict[int, asyncio.Runner] = field(default_factory=dict)
    _chains: dict[int, Chain] = field(default_factory=dict)
    _indexers: dict[int, Indexer] = field(default_factory=dict)
    _askers: dict[int, ShareAsker] = field(default_factory=dict)
    _classifiers: dict[int, Classifier] = field(default_factory=dict)
    _checkers: dict[int, SupplyChecker] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings, *, create: bool = True) -> Self:
        """The engine of the settings' program and database; chains are opened when first asked."""
        program = load_program(settings.program_path, settings)
        return cls(settings, program, open_database(settings, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for chain_id, chain in list(self._chains.items()):
            self._run(chain_id, chain.close())
        for runner in self._runners.values():
            runner.close()
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
        chain = self._chain(chain_id)

        async def asked() -> dict[PoolKey, ContractFacts]:
            await chain.check()
            for holder in unknown_holders(self.state, self.program, chain_id):
                await check_holder(chain, holder)
            sources = price_contracts.unknown(self.state, self.program, chain_id)
            self._price_contracts.extend(await price_contracts.ask(chain, self.program, sources))
            unknown = unknown_pools(self.state, self.program, chain_id)
            return {pool.key: await contract_facts(chain, pool) for pool in unknown}

        return self._run(chain_id, self._unless_stopping(chain.name, asked()))

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
            _log.info("prepared chain=%s", self._chain(chain_id).name)

    async def _unless_stopping(self, name: str, asked: Coroutine[Any, Any, Result]) -> Result:
        """The answer; Unavailable where the process is to end before: an endpoint is waited for patiently."""
        task = asyncio.ensure_future(asked)
        while not task.done():
            if self.stopping.is_set():
                task.cancel()
                await asyncio.wait([task])
                raise Unavailable(f"{name} was not asked to the end: the process is to end")
            await asyncio.wait([task], timeout=STOPPING_SECONDS)
        return task.result()

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
        done = self._run(chain_id, self._indexer(chain_id).step(self.now(), until))
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
        self._run(chain_id, self._checker(chain_id).turn())

    def classify(self, chain_id: int) -> int:
        """Which large holders are contracts, as far as that is due; returns how many were looked at."""
        count = self._run(chain_id, self._classifier(chain_id).turn(self.now()))
        if count:
            _log.info("classified chain=%s holders=%s", self._chain(chain_id).name, count)
        return count

    def ask_shares(self, chain_id: int) -> int:
        """What contracts say of their shares, as far as blocks are final: the next hours; returns how many answered."""
        count = self._run(chain_id, self._asker(chain_id).turn(self.now()))
        if count:
            _log.info("asked shares chain=%s answers=%s", self._chain(chain_id).name, count)
        return count

    def price(self) -> list[Priced]:
        """Ask for the prices that are missing."""
        recordings = [self._chain(chain.id).recording_facts() for chain in self.program.chains]
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
        chain = self._chain(found[0].id)
        return self._run(chain.id, record(self.state, self.program, chain, path, until))

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

    def _run(self, chain_id: int, step: Coroutine[Any, Any, Result]) -> Result:
        """Each chain has an event loop of its own, used by one job at a time, so that its connections stay open."""
        with self._busy.setdefault(chain_id, threading.Lock()):
            return self._runners.setdefault(chain_id, asyncio.Runner()).run(step)

    def _pause(self, seconds: float) -> None:
        """A pause that an orderly end cuts short."""
        self.stopping.wait(seconds)

    def _coingecko_key(self) -> CoinGeckoKey | None:
        key = self.settings.coingecko_key
        return CoinGeckoKey(self.settings.coingecko_plan, key.get_secret_value()) if key else None

    def _chain(self, chain_id: int) -> Chain:
        if chain_id not in self._chains:
            chain = next(chain for chain in self.program.chains if chain.id == chain_id)
            self._chains[chain_id] = open_chain(
                chain.name,
                chain.id,
                [endpoint.get_secret_value() for endpoint in chain.endpoints],
                confirmations=chain.confirmations,
                timeout_seconds=chain.timeout,
                parallel=chain.parallel,
                most_blocks=chain.span_blocks,
                base=chain.base,
                not_before=self._last_time(chain_id),
                observe=metrics.observe_rpc,
            )
        return self._chains[chain_id]

    def _last_time(self, chain_id: int) -> int | None:
        """The time of the last indexed block: a recording's clock goes on from there after a restart."""
        with self.state.read() as connection:
            header = blocks.last(connection, chain_id)
        return header.time if header else None

    def _indexer(self, chain_id: int) -> Indexer:
        if chain_id not in self._indexers:
            settings = next(chain for chain in self.program.chains if chain.id == chain_id)
            managers = {manager.address: manager.start_block for manager in settings.position_managers}
            self._indexers[chain_id] = Indexer(self.state, self._chain(chain_id), managers, self.rules.start)
        return self._indexers[chain_id]

    def _asker(self, chain_id: int) -> ShareAsker:
        if chain_id not in self._askers:
            self._askers[chain_id] = ShareAsker(self.state, self._chain(chain_id), self.rules)
        return self._askers[chain_id]

    def _classifier(self, chain_id: int) -> Classifier:
        if chain_id not in self._classifiers:
            self._classifiers[chain_id] = Classifier(self.state, self._chain(chain_id))
        return self._classifiers[chain_id]

    def _checker(self, chain_id: int) -> SupplyChecker:
        if chain_id not in self._checkers:
            self._checkers[chain_id] = SupplyChecker(self.state, self._chain(chain_id))
        return self._checkers[chain_id]
