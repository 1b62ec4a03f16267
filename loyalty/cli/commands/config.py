"""`loyalty config` and `loyalty config diff`."""

import typer

from loyalty.cli.output import AsJson, print_json, print_table
from loyalty.cli.session import start
from loyalty.config import load_program, masked_settings
from loyalty.jobs.prepare import config_changes
from loyalty.service import open_database

config = typer.Typer(help="What the environment and the program file say.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    app.add_typer(config, name="config")


@config.callback()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the configuration as read, every default filled in, secrets and endpoint keys masked."""
    if context.invoked_subcommand is not None:
        return
    settings = start()
    print_json({"environment": masked_settings(settings), **load_program(settings.program_path, settings).masked()})


@config.command()
def diff(as_json: AsJson = False) -> None:
    """Show what the program file would change, and from which epoch on. Refuses what would touch a settled epoch."""
    settings = start()
    program = load_program(settings.program_path, settings)
    with open_database(settings, create=False, migrate=False) as state:
        changes = config_changes(state, program.rules)
    if as_json:
        print_json([change._asdict() for change in changes])
    elif not changes:
        typer.echo("Nothing changes.")
    else:
        rows = [(c.key, c.before or "-", c.after or "-", str(c.effective_from_epoch)) for c in changes]
        print_table(("key", "before", "after", "from epoch"), rows)
