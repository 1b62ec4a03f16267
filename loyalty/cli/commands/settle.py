"""`loyalty settle`, `hold`, `release`, `verify`, `record`."""

from pathlib import Path
from typing import Annotated

import typer

from loyalty.cli.output import AsJson, print_json, print_table
from loyalty.cli.session import carry_out, reading, writing


def register(app: typer.Typer) -> None:
    app.command()(settle)
    app.command()(hold)
    app.command()(release)
    app.command()(verify)
    app.command()(record)


def settle(
    until: Annotated[int | None, typer.Option(help="Settle up to this epoch at most.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Settle what is due. Exits 0 when nothing is due, and 1, with the reasons, when something due is blocked."""
    done, result = carry_out("settle", {"until": until})
    if done == "asked":
        print_json(result) if as_json else typer.echo(f"Left for the worker as command {result['command']}.")
        return
    epochs = result["epochs"]
    asked = [each for each in epochs if until is None or each["number"] <= until]
    blocked = [each for each in asked if each["due"] and each["status"] != "settled"]
    if as_json:
        print_json({"epochs": epochs})
    else:
        print_table(
            ("epoch", "status", "digest or reasons"),
            [(str(each["number"]), each["status"], each["digest"] or "; ".join(each["reasons"])) for each in epochs],
        )
    if blocked:
        raise typer.Exit(1)


def hold(reason: Annotated[str, typer.Option(help="Why; shown to everyone who asks.")]) -> None:
    """Keep every epoch from being settled until `loyalty release`."""
    done, result = carry_out("hold", {"reason": reason})
    typer.echo(
        "Nothing is settled until `loyalty release`."
        if done == "done"
        else f"Left for the worker as command {result['command']}."
    )


def release() -> None:
    """Release every hold."""
    done, result = carry_out("release", {})
    typer.echo("Released." if done == "done" else f"Left for the worker as command {result['command']}.")


def verify(as_json: AsJson = False) -> None:
    """Recompute everything from the stored facts and compare: every Swap.liquidity, cell, reward and digest."""
    from loyalty.jobs.verify import verify as verify_all

    with reading() as state:
        report = verify_all(state)
    if as_json:
        print_json(report.as_dict())
    else:
        for line in report.lines():
            typer.echo(line)
    if report.faults:
        raise typer.Exit(1)


def record(
    path: Annotated[Path, typer.Argument(help="The recording to write, such as week-3.jsonl.gz.")],
    chain: Annotated[str | None, typer.Option(help="The chain to record, where the program has several.")] = None,
    until: Annotated[
        int | None, typer.Option(help="The last block, a final one; by default the last that is indexed.")
    ] = None,
) -> None:
    """Record the program's logs, prices and program file, so that they can stand in for an endpoint anywhere."""
    with writing() as engine:
        made = engine.record(path, chain, until)
    typer.echo(f"{made.logs} logs of {made.blocks} blocks written to {made.path}, sha256 {made.sha256}")
