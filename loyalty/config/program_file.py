"""The program file: TOML in, a Program out, or every fault of the file at once.

Reading goes in three steps: each key by itself (entries.py), what is not built yet (later.py), and what must hold
between keys (checks*.py). Only a file without a fault is built (building.py), so building cannot fail.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from loyalty.config.building import built
from loyalty.config.checks import check_exclusions
from loyalty.config.checks_budget import check_program, check_rewards, check_tiers
from loyalty.config.checks_chains import Endpoints, check_chains
from loyalty.config.checks_holders import check_look_through
from loyalty.config.checks_points import check_points
from loyalty.config.checks_pools import check_pools
from loyalty.config.checks_tokens import check_tokens
from loyalty.config.entries import Document
from loyalty.config.faults import Place
from loyalty.config.later import refuse_later
from loyalty.config.program import Program
from loyalty.config.settings import Settings
from loyalty.config.tables import read_table
from loyalty.core.errors import Invalid, InvalidFile

_SYNTAX_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|(end of document))\)", re.DOTALL)


def load_program(path: Path, settings: Settings) -> Program:
    """The program of the file, with the endpoints of `settings` in place of the file's.

    Raises InvalidFile with every fault, each `key.path: read …; expected …`; Invalid where there is no such file.
    """
    return program_of(_parsed(_text(path), path), path, settings)


def program_of(raw: dict[str, Any], path: Path, settings: Settings) -> Program:
    """The program of a parsed file; `path` says what relative paths in it are relative to."""
    place = Place()
    document = read_table(Document, raw, place)
    refuse_later(raw, place)
    _check(document, settings.rpc)
    if place.faults:
        raise InvalidFile(f"the program file {path}", list(dict.fromkeys(place.faults)))
    return built(document, path, settings.rpc)


def _check(document: Document, endpoints: Endpoints) -> None:
    check_program(document)
    check_chains(document, endpoints)
    check_tokens(document)
    check_pools(document)
    check_rewards(document)
    check_tiers(document)
    check_exclusions(document)
    check_look_through(document)
    check_points(document)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InvalidFile(
            f"the program file {path}", [f"byte {fault.start}: not UTF-8 text; save it as UTF-8"]
        ) from None
    except FileNotFoundError:
        raise Invalid(
            f"there is no program file {path}: set LOYALTY_PROGRAM to a program file, such as programs/demo.toml"
        ) from None
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise Invalid(f"the program file {path} cannot be read ({reason}): make it a readable file") from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        fault = "tables or lists are nested too deeply for a program file"
    except ValueError as error:  # TOMLDecodeError is one; an integer of thousands of digits is a plain one
        fault = _syntax_fault(str(error))
    raise InvalidFile(f"the program file {path}", [fault])


def _syntax_fault(message: str) -> str:
    found = _SYNTAX_PLACE.fullmatch(message)
    if not found:
        return f"not TOML: {message}"
    where = "end of the file" if found[4] else f"line {found[2]}, column {found[3]}"
    return f"{where}: not TOML: {found[1]}"
