"""The application, and how every command ends: an error is told in one paragraph, never as a traceback."""

import gc
import os
import sys

import typer

from loyalty.core.errors import LoyaltyError

app = typer.Typer(
    name="loyalty",
    help="Pays liquidity providers exactly. Told how by LOYALTY_* variables and a program file: docs/program-file.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def collect_seldom() -> None:
    """Garbage is looked for after 50,000 new objects, not after Python's 700.

    A step makes hundreds of thousands of small tuples that live until it is written, and none of them is garbage: the
    usual thresholds cost a tenth of the indexing, and save no memory (docs/performance.md).
    """
    gc.set_threshold(50_000, 20, 20)


def main() -> None:
    """Run the command that the arguments name; an error that we foresee becomes a message and an exit code, here."""
    collect_seldom()
    try:
        app()
    except LoyaltyError as error:
        typer.echo(f"loyalty: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader has seen enough (`loyalty … | head`); Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
