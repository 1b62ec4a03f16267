"""A `.env` file: NAME=value lines, quotes and comments as python-dotenv reads them, values taken as they stand."""

import io
from pathlib import Path

from dotenv.parser import parse_stream

from loyalty.core.errors import Invalid, InvalidFile


def read_dotenv(path: Path) -> dict[str, str]:
    """The names and values of the file; none where there is no file. `$` means nothing. Raises InvalidFile, Invalid.

    A line that cannot be read is a fault, told by its number: what it holds may be a secret.
    """
    if not path.exists():
        return {}
    bindings = list(parse_stream(io.StringIO(_text(path))))
    faults = [
        f"line {each.original.line}: read something else; expected NAME=value"
        for each in bindings
        if each.error or (each.key is not None and each.value is None)
    ]
    if faults:
        raise InvalidFile(f"the environment file {path}", faults)
    return {each.key: each.value for each in bindings if each.key is not None and each.value is not None}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"the environment file {path} is not UTF-8 text: save it as UTF-8") from None
    except OSError as fault:
        raise Invalid(
            f"the environment file {path} cannot be read ({fault.strerror}): make it a readable file"
        ) from None
