"""`loyalty indexer`: the index alone, of all chains or one, and how it fares on each."""

from datetime import timedelta
from typing import Annotated

import typer

from loyalty.cli.commands.index import chosen_chains
from loyalty.cli.output import AsJson, print_json, print_table
from loyalty.cli.session import reading, writing
from loyalty.reports.shapes import Shape
from loyalty.reports.status import chain_status
from loyalty.state import chains
from loyalty.stopping import stop_on_signals

indexer = typer.Typer(help="The index alone: start it, look at it.", no_args_is_help=True)

_BLOCK_KEYS = ("indexed_block", "head_block", "finalized_block", "blocks_behind", "lag_seconds")


def register(app: typer.Typer) -> None:
    app.add_typer(indexer, name="indexer")


@indexer.command()
def start(
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name.")] = None,
) -> None:
    """Index every chain, or one, until SIGTERM, and carry out what is asked; nothing is priced, accrued or settled."""
    from loyalty.worker import prepare_patiently, work

    with writing(prepared=False) as engine:
        stop_on_signals(engine.stopping)
        chosen = {each.id for each in chosen_chains(engine.program, chain)}
        if prepare_patiently(engine, chosen):
            work(engine, chosen)


@indexer.command()
def status(as_json: AsJson = False) -> None:
    """How far each chain is indexed, how old that is, its last error, and how far its backfill is."""
    with reading() as state, state.read() as connection:
        told = [chain_status(connection, each) for each in chains.all_chains(connection)]
    if as_json:
        print_json({"chains": told})
        return
    print_table(
        ("chain", "indexed", "head", "finalized", "behind", "lag seconds", "last error", "backfill"),
        [
            (
                each["chain_name"],
                *("-" if each[key] is None else str(each[key]) for key in _BLOCK_KEYS),
                each["last_error"] or "-",
                backfill_text(each["backfill"]),
            )
            for each in told
        ],
    )


def backfill_text(told: Shape | None) -> str:
    """How far the catching up is, in words."""
    if told is None:
        return "-"
    place = f"{told['percent']}% of blocks {told['from_block']} to {told['until_block'] - 1}, at {told['next_block']}"
    if told["stopped"]:
        return f"{place}, stopped"
    rate = "" if told["blocks_per_second"] is None else f", {told['blocks_per_second']} blocks/s"
    left = "" if told["seconds_left"] is None else f", {timedelta(seconds=told['seconds_left'])} left"
    return f"{place}{rate}{left}"
