"""`loyalty price set`: the operator's price where no source has one."""

from typing import Annotated

import typer

from loyalty.cli.session import carry_out
from loyalty.core.times import parse_time, writable_time

price = typer.Typer(help="Prices that the operator sets.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(price, name="price")


@price.command("set")
def set_price(
    token: Annotated[str, typer.Argument(help="The token's symbol.")],
    from_time: Annotated[str, typer.Option("--from", help="First moment, RFC 3339 or unix seconds.")],
    to_time: Annotated[str, typer.Option("--to", help="Last moment, inclusive.")],
    usd: Annotated[str, typer.Option(help="USD per whole token, a plain decimal.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log and shown by explain.")],
) -> None:
    """Give a token a price where none is valid. What has a price keeps it."""
    first, last = writable_time(parse_time(from_time)), writable_time(parse_time(to_time))
    arguments = {"token": token, "from": first, "to": last, "usd": usd, "reason": reason}
    done, result = carry_out("price set", arguments)
    if done == "done":
        refused = f", {result['refused']} refused: a closed day has used those moments" if result["refused"] else ""
        typer.echo(f"{result['points']} price points of {token} stored{refused}.")
    else:
        typer.echo(f"Left for the worker as command {result['command']}.")
