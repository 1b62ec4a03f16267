"""`loyalty backfill`: what is far behind the head, indexed here or watched while the worker indexes it."""

import threading
from contextlib import ExitStack
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from loyalty.cli.session import ACTOR, start
from loyalty.cli.waiting import carried_out
from loyalty.config import Settings, load_program
from loyalty.core.errors import Conflict, Invalid
from loyalty.jobs.backfill import chain_named, check_from
from loyalty.jobs.index import Step
from loyalty.jobs.rewind import Rewound
from loyalty.service import Engine, database_lock, open_database
from loyalty.state import backfills
from loyalty.state.engine import State
from loyalty.stopping import stop_on_signals

LOOK_SECONDS = 1.0


class Asked(NamedTuple):
    """The chain by name, and the blocks from `from_block` up to `to_block`; None: from what is behind, to the head."""

    chain: str
    from_block: int | None
    to_block: int | None


def register(app: typer.Typer) -> None:
    app.command()(backfill)


def backfill(
    chain: Annotated[str, typer.Option(help="The chain, by name.")],
    from_block: Annotated[
        int | None, typer.Option("--from", help="A block up to which everything is indexed.", min=0)
    ] = None,
    to: Annotated[str, typer.Option("--to", help="A block number, or head.")] = "head",
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; without --stop it goes on.")] = False,
) -> None:
    """Index what is behind, with its progress; Ctrl-C ends it after the running step, and the same command goes on.

    Beside a worker it is the worker that indexes, without delaying the head: then Ctrl-C ends the watching alone.
    """
    settings = start()
    asked = Asked(chain, from_block, _block(to))
    _check_chain(settings, chain)
    stopping = threading.Event()
    stop_on_signals(stopping)
    with ExitStack() as held:
        try:
            held.enter_context(database_lock(settings))
        except Conflict as refused:  # a worker holds the database: it is the one to do it
            state = held.enter_context(open_database(settings, create=False, migrate=False))
            _beside_worker(state, asked, stop, stopping, refused)
            return
        engine = held.enter_context(Engine.open(settings))
        stop_on_signals(engine.stopping)
        if stopping.is_set():
            return
        engine.prepare({each.id for each in engine.program.chains if each.name == chain})
        _alone(engine, asked, stop)


def _block(text: str) -> int | None:
    if text == "head":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise Invalid(f"--to {text!r} is neither a block number nor head")
    return int(text)


def _check_chain(settings: Settings, name: str) -> None:
    names = [each.name for each in load_program(settings.program_path, settings).chains]
    if name not in names:
        raise Invalid(f"the program has no chain {name!r}: it has {', '.join(names)}")


def _alone(engine: Engine, asked: Asked, stop: bool) -> None:
    first = _tell_indexed(engine.state, asked)
    engine.execute("backfill", _arguments(asked, stop), ACTOR)
    if stop:
        typer.echo(f"The backfill of {asked.chain} is stopped; loyalty backfill --chain {asked.chain} goes on.")
        return
    if first is None or (asked.to_block is not None and asked.to_block < first):
        return
    chain_id = next(each.id for each in engine.program.chains if each.name == asked.chain)
    with _progress() as progress:
        bar = progress.add_task(asked.chain, total=None, block=first, note="")

        def told(done: Step | Rewound) -> None:
            if isinstance(done, Step):
                behind = done.behind if asked.to_block is None else max(0, asked.to_block + 1 - done.span.end)
                completed = progress.tasks[bar].completed + done.span.length
                rate = f"{done.logs / done.seconds:,.0f} logs/s" if done.seconds else ""
                progress.update(bar, completed=completed, total=completed + behind, block=done.span.end - 1, note=rate)

        engine.index(chain_id, asked.to_block, told)
    _tell_end(engine.state, asked, interrupted=engine.stopping.is_set())


def _beside_worker(state: State, asked: Asked, stop: bool, stopping: threading.Event, refused: Conflict) -> None:
    _tell_indexed(state, asked)
    if not carried_out(state, "backfill", _arguments(asked, stop), stopping):
        typer.echo("The worker has not answered yet; it does what was asked at its next turn.")
        return
    if stop:
        typer.echo(f"The backfill of {asked.chain} is stopped; loyalty backfill --chain {asked.chain} goes on.")
        return
    typer.echo(f"The worker indexes ({refused}). Ctrl-C ends the watching alone.", err=True)
    with _progress() as progress:
        bar = progress.add_task(asked.chain, total=None, block=0, note="")
        while not stopping.is_set() and _watch(state, asked, progress, bar):
            stopping.wait(LOOK_SECONDS)
    _tell_end(state, asked, interrupted=stopping.is_set())


def _watch(state: State, asked: Asked, progress: Progress, bar: TaskID) -> bool:
    """Whether there is more to watch."""
    with state.read() as connection:
        known = backfills.get(connection, chain_named(connection, asked.chain).id)
    if known is None or known.stopped:
        return False
    end = known.until_block if asked.to_block is None else min(known.until_block, asked.to_block + 1)
    rate = f"{known.blocks_per_second:,.0f} blocks/s" if known.blocks_per_second else ""
    total, completed = max(1, end - known.from_block), min(known.next_block, end) - known.from_block
    progress.update(bar, total=total, completed=completed, block=known.next_block - 1, note=rate)
    return known.next_block < end


def _tell_indexed(state: State, asked: Asked) -> int | None:
    """Say which of the blocks asked for are indexed already; the first block that is not."""
    with state.read() as connection:
        first = check_from(connection, chain_named(connection, asked.chain), asked.from_block)
    if first is None:
        typer.echo(f"{asked.chain} has no pool and no contract to index.")
    elif asked.to_block is not None and asked.to_block < first:
        typer.echo(f"Everything up to block {first - 1} of {asked.chain} is indexed already.")
    elif asked.from_block is not None and asked.from_block < first:
        typer.echo(f"Blocks {asked.from_block} to {first - 1} of {asked.chain} are indexed already.", err=True)
    return first


def _tell_end(state: State, asked: Asked, *, interrupted: bool) -> None:
    with state.read() as connection:
        chain = chain_named(connection, asked.chain)
        first = check_from(connection, chain, None)
        known = backfills.get(connection, chain.id)
    if known is not None and known.stopped:
        typer.echo(f"The backfill of {asked.chain} was stopped at block {known.next_block}.")
    elif interrupted:
        typer.echo(f"Ended; everything below block {first} of {asked.chain} is indexed. The same command goes on.")
    else:
        typer.echo(f"Everything below block {first} of {asked.chain} is indexed.")


def _arguments(asked: Asked, stop: bool) -> dict[str, str | int]:
    arguments: dict[str, str | int] = {"chain": asked.chain, "action": "stop" if stop else "start"}
    return arguments if stop or asked.from_block is None else arguments | {"from_block": asked.from_block}


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("block {task.fields[block]:,} · {task.percentage:.1f}% · {task.fields[note]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)
