"""Prometheus metrics: every one is defined here, with its unit, and nowhere else.

Worker and API are processes of their own; where several processes serve one `/metrics`, set PROMETHEUS_MULTIPROC_DIR to
an empty folder and prometheus-client adds them up.
"""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

_JOB_SECONDS = Histogram(
    "loyalty_job_seconds",
    "Seconds that a run of a job took",
    ["job"],
    buckets=(0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800),
)
_JOB_FAILURES = Counter("loyalty_job_failures_total", "Runs of a job that failed", ["job"])
_JOB_FAILING = Gauge(
    "loyalty_job_consecutive_failures",
    "Failures of a job since its last success, as the worker wrote them down",
    ["job"],
    multiprocess_mode="mostrecent",
)
_JOB_FINISHED = Gauge(
    "loyalty_job_finished_seconds",
    "When a job's last recorded run ended, in unix seconds",
    ["job"],
    multiprocess_mode="mostrecent",
)
_INDEXED_BLOCK = Gauge("loyalty_indexed_block", "Last block indexed", ["chain"], multiprocess_mode="mostrecent")
_BLOCKS_BEHIND = Gauge(
    "loyalty_blocks_behind", "Blocks between the cursor and the head", ["chain"], multiprocess_mode="mostrecent"
)
_BACKFILL_LEFT = Gauge(
    "loyalty_backfill_blocks_left",
    "Blocks that the catching up of a chain has still to index; 0 where nothing is far behind",
    ["chain"],
    multiprocess_mode="mostrecent",
)
_EVENTS = Counter("loyalty_events_total", "Facts stored", ["chain"])
_LOGS = Counter("loyalty_logs_total", "Logs read from endpoints", ["chain"])
_REWINDS = Counter("loyalty_rewinds_total", "Reorgs that were rewound", ["chain"])
_RPC_SECONDS = Histogram(
    "loyalty_rpc_seconds",
    "Seconds that a JSON-RPC request took",
    ["endpoint", "method", "outcome"],
    buckets=(0.005, 0.05, 0.25, 1, 5, 30),
)
_PRICE_FAULTS = Counter("loyalty_price_faults_total", "Price sources that failed", ["token", "source"])
_PRICE_POINTS = Counter("loyalty_price_points_total", "Price points stored", ["token"])
_EXCHANGE_DEVIATIONS = Counter(
    "loyalty_exchange_deviations_total", "Exchanges of ERC-4626 vaults that are off the told price", ["vault"]
)
_PRICE_REFUSALS = Counter(
    "loyalty_price_refusals_total", "Answers of price sources that were not believed", ["token", "source", "reason"]
)
_UNPRICED = Gauge("loyalty_unpriced_pool_days", "Pool-days that wait for a price", multiprocess_mode="mostrecent")
_POINT_PERIODS = Counter("loyalty_point_periods_total", "Rounds and days whose points were counted", ["status"])
_SETTLED = Gauge("loyalty_settled_epochs", "Epochs that are settled", multiprocess_mode="mostrecent")
_REQUEST_SECONDS = Histogram(
    "loyalty_api_seconds",
    "Seconds that an API request took",
    ["route", "method", "status"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
)


def observe_job(job: str, seconds: float, *, failed: bool) -> None:
    _JOB_SECONDS.labels(job).observe(seconds)
    if failed:
        _JOB_FAILURES.labels(job).inc()


def observe_kept_job(job: str, *, consecutive_failures: int, finished_time: int | None) -> None:
    """As the worker wrote it down: for a process that is not the worker."""
    _JOB_FAILING.labels(job).set(consecutive_failures)
    if finished_time is not None:
        _JOB_FINISHED.labels(job).set(finished_time)


def observe_indexed(chain: str, *, last_block: int, behind: int) -> None:
    _INDEXED_BLOCK.labels(chain).set(last_block)
    _BLOCKS_BEHIND.labels(chain).set(behind)


def observe_backfill(chain: str, *, blocks_left: int) -> None:
    _BACKFILL_LEFT.labels(chain).set(blocks_left)


def observe_step(chain: str, *, last_block: int, behind: int, events: int, logs: int) -> None:
    observe_indexed(chain, last_block=last_block, behind=behind)
    _EVENTS.labels(chain).inc(events)
    _LOGS.labels(chain).inc(logs)


def observe_rewind(chain: str) -> None:
    _REWINDS.labels(chain).inc()


def observe_rpc(endpoint: str, method: str, seconds: float, outcome: str) -> None:
    _RPC_SECONDS.labels(endpoint, method, outcome).observe(seconds)


def observe_prices(token: str, *, stored: int, faulty_sources: list[str]) -> None:
    _PRICE_POINTS.labels(token).inc(stored)
    for source in faulty_sources:
        _PRICE_FAULTS.labels(token, source).inc()


def observe_exchange_deviation(vault: str) -> None:
    """An exchange of an ERC-4626 vault was far off what its contract said."""
    _EXCHANGE_DEVIATIONS.labels(vault).inc()


def observe_refusals(refused: Mapping[tuple[str, str, str], int]) -> None:
    """How many answers were refused, by token, source and reason."""
    for labels, count in refused.items():
        _PRICE_REFUSALS.labels(*labels).inc(count)


def observe_unpriced(pool_days: int) -> None:
    _UNPRICED.set(pool_days)


def observe_scored(*, closed: int, unpriced: int, open_periods: int) -> None:
    for status, count in (("closed", closed), ("unpriced", unpriced), ("open", open_periods)):
        _POINT_PERIODS.labels(status).inc(count)


def observe_settled(epochs: int) -> None:
    _SETTLED.set(epochs)


def observe_request(route: str, method: str, status: int, seconds: float) -> None:
    _REQUEST_SECONDS.labels(route, method, str(status)).observe(seconds)
