"""Which version of the rules is in force in an epoch."""

from functools import lru_cache

from sqlalchemy import Connection

from loyalty.core.errors import NotFound
from loyalty.program.rules import Rules
from loyalty.program.rules_text import rules_from_json
from loyalty.state import program_config


def rules_in_force(connection: Connection, number: int) -> tuple[int, Rules]:
    """The version (and its rules) for epoch `number`: the newest that is effective from it or from an earlier one.

    Raises NotFound in a database without a program.
    """
    versions = [each for each in program_config.all_versions(connection) if each.effective_from_epoch <= number]
    if not versions:
        raise NotFound("the database has no program yet: start the worker once, or run `loyalty index`")
    return versions[-1].version, _read(versions[-1].rules)


def latest_rules(connection: Connection) -> Rules | None:
    """The newest version's rules; None in a database without a program."""
    newest = program_config.latest(connection)
    return None if newest is None else _read(newest.rules)


@lru_cache(maxsize=32)
def _read(text: str) -> Rules:
    return rules_from_json(text)
