"""`loyalty index`: the chain into the database, once, with a progress bar."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from loyalty.cli.session import writing
from loyalty.config import ChainSettings, Program
from loyalty.core.errors import Invalid
from loyalty.jobs.index import Step
from loyalty.jobs.rewind import Rewound
from loyalty.service import Engine


def register(app: typer.Typer) -> None:
    app.command()(index)


def index(
    until: Annotated[str, typer.Option(help="A block number, or head.")] = "head",
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name.")] = None,
) -> None:
    """Index every chain once, up to a block or the head; compute days, points and epochs. `loyalty settle` closes."""
    last = _block(until)
    with writing(prepared=False) as engine:
        chosen = chosen_chains(engine.program, chain)
        engine.prepare({each.id for each in chosen})
        engine.price()
        for each in chosen:
            _index_chain(engine, each.id, each.name, last)
        engine.accrue()
        engine.score()
        for each in chosen:
            engine.classify(each.id)
        engine.settle(until=0)


def chosen_chains(program: Program, name: str | None) -> list[ChainSettings]:
    """The chain of that name, all without one; Invalid where there is none."""
    chosen = [each for each in program.chains if name in (None, each.name)]
    if not chosen:
        raise Invalid(f"the program has no chain {name!r}: it has {', '.join(each.name for each in program.chains)}")
    return chosen


def _block(text: str) -> int | None:
    if text == "head":
        return None
    if not text.isdecimal():
        raise Invalid(f"--until {text!r} is neither a block number nor head")
    return int(text)


def _index_chain(engine: Engine, chain_id: int, name: str, last: int | None) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("block {task.fields[block]:,} · {task.fields[events]:,} events · {task.fields[rate]:,.0f} logs/s"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(name, total=None, block=0, events=0, rate=0.0)
        events = 0

        def told(done: Step | Rewound) -> None:
            nonlocal events
            if isinstance(done, Rewound):
                return
            events += done.events
            behind = done.behind if last is None else max(0, last + 1 - done.span.end)
            rate = done.logs / done.seconds if done.seconds else 0.0
            task = progress.tasks[bar]
            completed = task.completed + done.span.length
            progress.update(
                bar, completed=completed, total=completed + behind, block=done.span.end - 1, events=events, rate=rate
            )

        engine.index(chain_id, last, told)
    while engine.ask_shares(chain_id):
        pass
