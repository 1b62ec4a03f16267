"""`loyalty db`: upgrade, check, backup, restore, optimize."""

from pathlib import Path
from typing import Annotated

import typer

from loyalty.cli.output import AsJson, print_json
from loyalty.cli.session import start
from loyalty.config import Settings
from loyalty.core.errors import Invalid
from loyalty.jobs.back_up import back_up
from loyalty.service import database_path, open_database, wall_clock
from loyalty.state import open_state
from loyalty.state.check import check as check_file
from loyalty.state.check import optimize as optimize_state
from loyalty.state.check import vacuum as vacuum_file
from loyalty.state.migrate import upgrade as upgrade_state
from loyalty.state.restore import restore as restore_file

database = typer.Typer(help="The database: upgrade, check, back up, restore, optimize.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(database, name="db")


def _path(settings: Settings) -> Path:
    if (path := database_path(settings)) is None:
        raise Invalid("this command is for SQLite files; PostgreSQL has tools of its own: see docs/operations.md")
    return path


@database.command()
def upgrade() -> None:
    """Create the database, or bring an older one to this release's schema."""
    settings = start()
    with open_state(settings.database) as state:
        changed = upgrade_state(state)
    typer.echo("Upgraded." if changed else "Already at this release's schema.")


@database.command()
def check(as_json: AsJson = False) -> None:
    """Look for damage: pages, foreign keys, schema version. Exits 1, with each fault, when there is any."""
    faults = check_file(_path(start()))
    if as_json:
        print_json({"faults": faults})
    else:
        typer.echo("\n".join(faults) if faults else "No damage found.")
    if faults:
        raise typer.Exit(1)


@database.command()
def backup(
    folder: Annotated[Path | None, typer.Option(help="Where to; LOYALTY_BACKUP_FOLDER by default.")] = None,
) -> None:
    """Make a verified copy beside a running worker, and keep the newest LOYALTY_BACKUPS_KEPT."""
    settings = start()
    with open_database(settings, create=False, migrate=False) as state:
        made = back_up(state, folder or settings.backup_folder, settings.backups_kept, wall_clock())
    typer.echo(f"{made['path']} sha256 {made['sha256']}")


@database.command()
def restore(backup: Annotated[Path, typer.Argument(help="A copy made by `loyalty db backup`.")]) -> None:
    """Put a verified copy in the database's place and upgrade it; the replaced file is kept aside.

    Stop the worker and the API first.
    """
    settings = start()
    path = _path(settings)
    restored = restore_file(backup, path, now=wall_clock())
    with open_state(path) as state:
        upgrade_state(state)
    aside = f"; the replaced file is {restored.aside}" if restored.aside else ""
    typer.echo(f"{path} is {backup} again{aside}.")


@database.command()
def optimize(
    vacuum: Annotated[bool, typer.Option(help="Rewrite the whole file. Needs free space and no worker.")] = False,
) -> None:
    """Refresh the planner's statistics and give free pages back; with --vacuum rewrite the file."""
    settings = start()
    path = _path(settings)
    if vacuum:
        done = vacuum_file(path, now=wall_clock())
        typer.echo(f"Vacuumed: {done.bytes_before:,} bytes before, {done.bytes_after:,} after.")
        return
    with open_database(settings, create=False, migrate=False) as state:
        freed = optimize_state(state)
    typer.echo(f"Optimized; {freed} free pages given back.")
