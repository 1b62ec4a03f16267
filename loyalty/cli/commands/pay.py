"""`loyalty export` and `loyalty pay`: an epoch's rewards to pay out, and the record that they were."""

import csv
import io
from typing import Annotated, Literal

import typer

from loyalty.cli.output import print_json
from loyalty.cli.session import carry_out, reading
from loyalty.core.errors import NotFound
from loyalty.jobs.pay import export as export_epoch
from loyalty.jobs.rules import latest_rules


def register(app: typer.Typer) -> None:
    app.command()(export)
    app.command()(pay)


def export(
    epoch: Annotated[int, typer.Option(help="A settled epoch.", min=1)],
    token: Annotated[str, typer.Option(help="A reward token's symbol.")],
    format: Annotated[Literal["csv", "json"], typer.Option(help="csv or json.")] = "csv",  # noqa: A002
    dust_below: Annotated[str, typer.Option(help="Owed amounts below this are carried to the next payment.")] = "0",
) -> None:
    """Print an epoch's rewards of one token, with the sum checked against the epoch's ledger."""
    with reading() as state:
        with state.read() as connection:
            rules = latest_rules(connection)
        if rules is None:
            raise NotFound("the database has no program yet")
        exported = export_epoch(state, rules, epoch, token, dust_below).as_dict()
    if format == "json":
        print_json(exported)
        return
    rows = exported["rewards"]
    text = io.StringIO()
    columns = ["address", "amount", "amount_units", "cumulative_units", "payable_units"]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    typer.echo(text.getvalue(), nl=False)


def pay(
    epoch: Annotated[int, typer.Option(help="The epoch that was paid.", min=1)],
    token: Annotated[str, typer.Option(help="A reward token's symbol.")],
    transaction: Annotated[str, typer.Option(help="The hash of the transaction that paid it.")],
    dust_below: Annotated[str, typer.Option(help="The threshold that the export was made with.")] = "0",
) -> None:
    """Mark an epoch paid in a token, once, with the transaction. What was below the threshold stays owed."""
    arguments = {"epoch": epoch, "token": token, "transaction": transaction, "dust_below": dust_below}
    done, result = carry_out("mark paid", arguments)
    if done == "done":
        carried = f", {result['dust_units']} units of dust carried" if result["dust_units"] != "0" else ""
        typer.echo(
            f"Epoch {epoch} is paid: {result['paid_units']} units of {token} to {result['providers']} providers"
            f"{carried}."
        )
    else:
        typer.echo(f"Left for the worker as command {result['command']}.")
