"""`loyalty status`, `provider`, `explain`, `points`, `rounds`: what the database says, without worker and network."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from loyalty.cli.commands.indexer import backfill_text
from loyalty.cli.output import AsJson, print_json, print_table
from loyalty.cli.session import reading
from loyalty.core.address import checksum, parse_address
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot

_EVERYTHING = 1 << 62
_CHAIN_KEYS = ("indexed_block", "head_block", "finalized_block", "blocks_behind")

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="0x and 40 hexadecimal digits, in any case.")]


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(provider)
    app.command()(explain)
    app.command()(points)
    app.command()(rounds)


def status(as_json: AsJson = False) -> None:
    """How far the chains are read, how the jobs fare, and what keeps epochs from settling."""
    from loyalty.reports.status import status as told

    _show(told, as_json, _print_status)


def provider(address: AddressArgument, as_json: AsJson = False) -> None:
    """A provider's balance, tier and rewards."""
    from loyalty.reports.provider import provider as told

    wanted = parse_address(address)
    _show(lambda snapshot: told(snapshot, wanted), as_json, _print_provider)


def explain(
    address: AddressArgument,
    epoch: Annotated[int, typer.Option(help="The epoch's number, from 1.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Why a provider got what it got: from the reward down to positions, prices and log ids."""
    from loyalty.program.explanation_text import lines
    from loyalty.reports.explain import explained, explanation

    wanted = parse_address(address)
    if as_json:
        _show(lambda snapshot: explanation(snapshot, wanted, epoch), True, _print_nothing)
        return
    with reading() as state, state.read() as connection:
        told = lines(explained(Snapshot.of(connection), wanted, epoch))
    typer.echo("\n".join(told))


def points(address: AddressArgument, as_json: AsJson = False) -> None:
    """What an address has in points, and how each line of it follows."""
    from loyalty.program.points import points_text
    from loyalty.reports.paging import Cut
    from loyalty.reports.points import lines_of, provider_points

    wanted = parse_address(address)
    with reading() as state, state.read() as connection:
        snapshot = Snapshot.of(connection)
        told = provider_points(snapshot, wanted, Cut(_EVERYTHING, None))
        lines = sorted(lines_of(snapshot, wanted), key=lambda each: (each.score, each.start))
    if as_json:
        print_json(told)
        return
    for each in told["scores"]:
        typer.echo(f"{each['score']}: {each['points']} points, rank {_text(each['rank'])}")
        for line in (line for line in lines if line.score == each["score"]):
            typer.echo(f"  {checksum(line.line.pool.address)} {points_text(line.line)} ({line.status})")


def rounds(as_json: AsJson = False) -> None:
    """The rounds of vaults, the newest first."""
    from loyalty.reports.paging import Cut
    from loyalty.reports.rounds import vault_rounds

    _show(lambda snapshot: vault_rounds(snapshot, Cut(_EVERYTHING, None)), as_json, _print_rounds)


def _print_rounds(told: Shape) -> None:
    print_table(
        ("vault", "round", "start", "end", "price per share", "yield", "holders", "points", "status"),
        [
            (
                each["pool"],
                str(each["round"]),
                *(_text(each[key]) for key in ("start", "end", "price_per_share", "yield", "participants")),
                ", ".join(f"{part['points']} {part['score']}" for part in each["points"]) or "-",
                f"{each['status']}: {each['reason']}" if each["reason"] else each["status"],
            )
            for each in told["items"]
        ],
    )


def _show(report: Callable[[Snapshot], Shape], as_json: bool, print_text: Callable[[Shape], None]) -> None:
    with reading() as state, state.read() as connection:
        told = report(Snapshot.of(connection))
    print_json(told) if as_json else print_text(told)


def _print_nothing(_: Shape) -> None:
    return


def _print_status(told: Shape) -> None:
    typer.echo(f"{told['program']}: {told['phase'].replace('_', ' ')}, as of {told['time'] or 'no block yet'}")
    print_table(
        ("chain", "indexed", "head", "finalized", "behind"),
        [(each["chain_name"], *(_text(each[key]) for key in _CHAIN_KEYS)) for each in told["chains"]],
    )
    for each in told["chains"]:
        if each["backfill"] is not None:
            typer.echo(f"backfill of {each['chain_name']}: {backfill_text(each['backfill'])}")
    if told["jobs"]:
        print_table(
            ("job", "finished", "failures in a row", "last error"),
            [
                (each["job"], _text(each["finished"]), str(each["consecutive_failures"]), _text(each["last_error"]))
                for each in told["jobs"]
            ],
        )
    typer.echo(f"settled epochs: {told['settled_epochs']}, commands waiting: {told['pending_commands']}")
    for each in told["blocked_epochs"]:
        typer.echo(f"epoch {each['epoch']} ({each['status']}): {'; '.join(each['reasons'])}")
    for each in told["unresolved"]:
        place = f"unresolved in epoch {each['epoch']}: {each['address']} on chain {each['chain']}"
        typer.echo(f"{place}, {each['usd_days']} dollar-days: {each['why']}")
    for each in told["holds"]:
        typer.echo(f"on hold since {each['placed']}: {each['reason']}")
    for each in told["unpriced"]:
        typer.echo(f"without a price: {each['pool']} on {each['date']}: {each['reason']}")


def _print_provider(told: Shape) -> None:
    typer.echo(f"provider {told['address']}")
    if told["excluded"]:
        typer.echo(f"excluded: {told['excluded']}")
    typer.echo(f"balance {told['usd']} USD, {told['usd_in_range']} in range ({told['status']})")
    tier = f"{told['tier']}, multiplier {told['multiplier']}, participation epoch {told['participation_epoch']}"
    typer.echo(f"tier {tier}" if told["tier"] else "in no tier")
    if (following := told["next_tier"]) is not None:
        typer.echo(f"next {following['tier']} (x {following['multiplier']}) in {following['epochs_to_go']} epochs")
    for name in ("earned", "provisional", "transferred"):
        typer.echo(f"{name} {', '.join(_amount(each) for each in told[name])}")
    if told["last_rewards"]:
        print_table(
            ("epoch", "reward", "tier", "weight", "status"),
            [
                (str(each["epoch"]), _amount(each), _text(each["tier"]), each["weight"], each["status"])
                for each in told["last_rewards"]
            ],
        )


def _amount(each: Shape) -> str:
    return f"{each['amount']} {each['token']}"


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
