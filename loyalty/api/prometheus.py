"""What Prometheus scrapes: this process's metrics (or, in multiprocess mode, all of them), and the worker's state."""

import logging
import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from loyalty import metrics
from loyalty.api.database import Database
from loyalty.core.errors import LoyaltyError
from loyalty.reports.status import chain_status, unpriced
from loyalty.state import chains, epochs, job_runs

_log = logging.getLogger(__name__)


def scraped(database: Database) -> tuple[bytes, str]:
    """The text and its media type. Without a database the rest is still told: /readyz says what is wrong."""
    try:
        _observe(database)
    except LoyaltyError as error:
        _log.warning("metrics without the worker's state error=%s", error)
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _observe(database: Database) -> None:
    """The worker is another process: how far it is, is read from what it has committed."""
    with database.state().read() as connection:
        for chain in chains.all_chains(connection):
            told = chain_status(connection, chain)
            if told["indexed_block"] is not None and told["blocks_behind"] is not None:
                block, behind = told["indexed_block"], told["blocks_behind"]
                metrics.observe_indexed(chain.name, last_block=block, behind=behind)
            metrics.observe_backfill(chain.name, blocks_left=told["backfill"]["blocks_left"] if told["backfill"] else 0)
        for run in job_runs.all_runs(connection):
            failing, finished = run.consecutive_failures, run.finished_time
            metrics.observe_kept_job(run.job, consecutive_failures=failing, finished_time=finished)
        metrics.observe_unpriced(len(unpriced(connection)))
        metrics.observe_settled(epochs.settled_count(connection))
