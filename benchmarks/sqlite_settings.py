"""What SQLite's settings are worth for our tables: `python -m benchmarks.sqlite_settings [--swaps N] [--json]`.

Each variant differs in one thing from what docs/decisions/0003-sqlite-settings.md adopts. Writing: swaps in
transactions of 5,000 rows, as an indexing step commits them. Commits: one row each. Scans: all swaps of a pool, a day
at a time by the index on (pool, time). Look-ups: 30 days of one provider's daily_balances. Commits are measured by the
clock, the rest by the processor's time, so that a busy machine blurs it less. The variants take turns; the best of the
repetitions counts. Files lie in a temporary folder (TMPDIR chooses the disk) and are warm in the kernel's page cache
when they are read.
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from loyalty.state import schema

STEP_ROWS = 5_000
POOLS = 4
DAY_SECONDS = 86_400
PROVIDERS = 2_000
DAYS = 60
COMMITS = 200
LOOK_UPS = 2_000


@dataclass(frozen=True)
class Settings:
    """What is set on a connection: bytes, KiB and words as the pragmas take them."""

    name: str
    page_size: int = 4_096
    mmap_size: int = 0
    cache_kib: int = 2_000
    synchronous: str = "NORMAL"
    pooled: bool = True


ADOPTED = Settings("adopted")
VARIANTS = (
    ADOPTED,
    replace(ADOPTED, name="page size 8 KiB", page_size=8_192),
    replace(ADOPTED, name="page size 16 KiB", page_size=16_384),
    replace(ADOPTED, name="memory map 256 MiB", mmap_size=256 * 2**20),
    replace(ADOPTED, name="cache 8 MiB", cache_kib=8 * 1_024),
    replace(ADOPTED, name="cache 64 MiB", cache_kib=64 * 1_024),
    replace(ADOPTED, name="cache 64 MiB and memory map", cache_kib=64 * 1_024, mmap_size=256 * 2**20),
    replace(ADOPTED, name="synchronous FULL", synchronous="FULL"),
    replace(ADOPTED, name="a connection per query", pooled=False),
)


class Turn(NamedTuple):
    """Seconds per row, commit, row and look-up, and the file's bytes, of one repetition."""

    inserting: float
    committing: float
    scanning: float
    looking_up: float
    size: int


@dataclass(frozen=True)
class Measured:
    name: str
    inserted_per_second: float
    milliseconds_per_commit: float
    scanned_per_second: float
    microseconds_per_look_up: float
    file_mib: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures SQLite's settings on loyalty's tables.")
    parser.add_argument("--swaps", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--step-rows", type=int, default=STEP_ROWS, help="rows a transaction")
    parser.add_argument("--only", default="", help="variants with this in their name")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = list(swap_rows(arguments.swaps))
    variants = [variant for variant in VARIANTS if arguments.only in variant.name]
    turns = [[measure_once(each, rows, arguments.step_rows) for each in variants] for _ in range(arguments.repeat)]
    results = [best(variant.name, each) for variant, each in zip(variants, zip(*turns, strict=True), strict=True)]
    sys.stdout.write(as_json(results) if arguments.json else as_table(results))


def best(name: str, turns: Sequence[Turn]) -> Measured:
    """Each figure's least seconds over the turns, as rates."""
    inserting, committing, scanning, looking_up, size = (min(column) for column in zip(*turns, strict=True))
    return Measured(name, 1 / inserting, committing * 1e3, 1 / scanning, looking_up * 1e6, size / 2**20)


def measure_once(settings: Settings, rows: list[tuple[object, ...]], step_rows: int) -> Turn:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.db"
        with closing(connect(path, settings)) as connection:
            create(connection)
            inserting = seconds(lambda: insert_swaps(connection, rows, step_rows), time.process_time)
            committing = seconds(lambda: commit_one_by_one(connection), time.perf_counter)
            insert_balances(connection)
        with closing(connect(path, settings)) as connection:
            scanning = seconds(lambda: scan_days(connection, len(rows)), time.process_time)
            looking_up = seconds(lambda: look_up(connection, path, settings), time.process_time)
        size = path.stat().st_size
    return Turn(inserting / len(rows), committing / COMMITS, scanning / len(rows), looking_up / LOOK_UPS, size)


def seconds(work: Callable[[], None], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def connect(path: Path, settings: Settings) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        f"page_size = {settings.page_size}",
        "journal_mode = WAL",
        f"synchronous = {settings.synchronous}",
        "foreign_keys = OFF",  # one table at a time is filled here
        f"cache_size = -{settings.cache_kib}",
        f"mmap_size = {settings.mmap_size}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def create(connection: sqlite3.Connection) -> None:
    dialect = sqlite.dialect()  # type: ignore[no-untyped-call, unused-ignore]
    for table in (schema.swaps, schema.daily_balances):
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))


def swap_rows(count: int) -> Iterator[tuple[object, ...]]:
    """Seeded swaps of POOLS pools over DAYS days, in the order of the chain."""
    chance = random.Random(7)
    for number in range(count):
        yield (
            42_161,
            1_000_000 + number // 3,
            number % 3,
            chance.randrange(POOLS),
            number * DAYS * DAY_SECONDS // count,
            str(chance.randrange(2**96, 2**110)),
            chance.randrange(-200_000, 200_000),
            str(chance.randrange(2**64)),
            str(chance.randrange(-(2**70), 2**70)),
            str(chance.randrange(-(2**70), 2**70)),
            chance.randbytes(32),
        )


def insert_swaps(connection: sqlite3.Connection, rows: list[tuple[object, ...]], step_rows: int) -> None:
    statement = f"INSERT INTO swaps VALUES ({','.join('?' * 11)})"
    for start in range(0, len(rows), step_rows):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows[start : start + step_rows])
        connection.execute("COMMIT")


def commit_one_by_one(connection: sqlite3.Connection) -> None:
    for number in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO daily_balances VALUES (?, 9, 0, 1, 1)", (10**6 + number,))
        connection.execute("COMMIT")


def insert_balances(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for day in range(DAYS):
        rows = [(provider, 1, day, provider * 10**9, provider * 10**8) for provider in range(PROVIDERS)]
        connection.executemany("INSERT INTO daily_balances VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def scan_days(connection: sqlite3.Connection, count: int) -> None:
    statement = (
        "SELECT time, sqrt_price_x96, tick FROM swaps WHERE pool_id = ? AND time >= ? AND time < ? ORDER BY time"
    )
    read = 0
    for pool in range(POOLS):
        for day in range(DAYS):
            read += len(connection.execute(statement, (pool, day * DAY_SECONDS, (day + 1) * DAY_SECONDS)).fetchall())
    assert read == count


def look_up(connection: sqlite3.Connection, path: Path, settings: Settings) -> None:
    statement = "SELECT * FROM daily_balances WHERE provider_id = ? AND pool_id = 1 AND day >= ? AND day < ?"
    chance = random.Random(11)
    for _ in range(LOOK_UPS):
        wanted = (chance.randrange(PROVIDERS), DAYS - 30, DAYS)
        if settings.pooled:
            rows = connection.execute(statement, wanted).fetchall()
        else:
            with closing(connect(path, settings)) as own:
                rows = own.execute(statement, wanted).fetchall()
        assert len(rows) == 30


def as_json(results: list[Measured]) -> str:
    return (
        json.dumps({"sqlite": sqlite3.sqlite_version, "results": [asdict(each) for each in results]}, indent=2) + "\n"
    )


def as_table(results: list[Measured]) -> str:
    lines = [
        f"SQLite {sqlite3.sqlite_version}",
        f"{'':28} {'rows/s':>9} {'ms/commit':>10} {'scan/s':>11} {'µs/look-up':>11} {'MiB':>6}",
    ]
    lines += [
        f"{each.name:28} {each.inserted_per_second:9,.0f} {each.milliseconds_per_commit:10.3f} "
        f"{each.scanned_per_second:11,.0f} {each.microseconds_per_look_up:11.1f} {each.file_mib:6.1f}"
        for each in results
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
