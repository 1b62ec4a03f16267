"""`loyalty price`: the operator's prices, and what is stored of all."""

from typing import Annotated

import typer

from loyalty.cli.output import AsJson, print_json, print_table
from loyalty.cli.session import carry_out, reading
from loyalty.core.spans import Span
from loyalty.core.times import parse_time, writable_time
from loyalty.reports.prices import token_prices
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot

price = typer.Typer(help="Prices: what is stored, and what the operator sets.", no_args_is_help=True)

TokenArgument = Annotated[str, typer.Argument(help="The token's symbol.")]
FromOption = Annotated[str, typer.Option("--from", help="First moment, RFC 3339 or unix seconds.")]
ToOption = Annotated[str, typer.Option("--to", help="Last moment, inclusive.")]


def register(app: typer.Typer) -> None:
    app.add_typer(price, name="price")


@price.command("set")
def set_price(
    token: TokenArgument,
    from_time: FromOption,
    to_time: ToOption,
    usd: Annotated[str, typer.Option(help="USD per whole token, a plain decimal.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log and shown by explain.")],
    correct: Annotated[
        bool, typer.Option("--correct", help="Put it in the place of stored points that no settled epoch has used.")
    ] = False,
) -> None:
    """Give a token a price where none is valid; what has a price keeps it, unless it is corrected."""
    first, last = writable_time(parse_time(from_time)), writable_time(parse_time(to_time))
    arguments = {"token": token, "from": first, "to": last, "usd": usd, "reason": reason}
    done, result = carry_out("price set", arguments | ({"correct": True} if correct else {}))
    if done != "done":
        typer.echo(f"Left for the worker as command {result['command']}.")
    elif correct:
        typer.echo(
            f"{result['points']} price points of {token} corrected; {result['days']} pool-days are computed again."
        )
    else:
        refused = f", {result['refused']} refused: a closed day has used those moments" if result["refused"] else ""
        typer.echo(f"{result['points']} price points of {token} stored{refused}.")


@price.command("show")
def show_prices(token: TokenArgument, from_time: FromOption, to_time: ToOption, as_json: AsJson = False) -> None:
    """A token's stored points with every version, its source and reason, and the answers that were refused."""
    span = Span(parse_time(from_time), parse_time(to_time) + 1)
    with reading() as state, state.read() as connection:
        found = token_prices(Snapshot.of(connection), token, span)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Shape) -> None:
    points = [
        [
            each["time"],
            f"{each['version']}{'' if each['in_force'] else ' (corrected)'}",
            each["usd"],
            each["source"],
            each["asked"],
            each["reason"] or "",
        ]
        for each in found["points"]
    ]
    print_table(["time", "version", "usd", "source", "asked", "reason"], points)
    if found["refusals"]:
        typer.echo("\nrefused")
        print_table(
            ["time", "source", "why", "what it said"],
            [[each["time"], each["source"], each["reason"], each["detail"]] for each in found["refusals"]],
        )
