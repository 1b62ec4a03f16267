"""file: URLs: where a recording lies, and how its clock goes."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from loyalty.core.errors import Invalid
from loyalty.core.times import parse_time

_SPEED = re.compile(r"\d+(\.\d+)?")


class RecordingUrl(NamedTuple):
    """The clock starts at the unix second `start` and goes `speed` seconds a second; None where not said."""

    path: Path
    start: int | None
    speed: float | None


def parse_recording_url(name: str, url: str, base: Path) -> RecordingUrl:
    """file:PATH?from=TIME&speed=N, the path from `base` on; raises Invalid. A path is no secret and may be told."""
    location, _, query = url.partition("?")
    text = unquote(location.partition(":")[2])
    if text.startswith("//"):
        host, slash, rest = text[2:].partition("/")
        if host:
            raise Invalid(f"{name}: a file: URL has no host: write file:PATH or file:///PATH")
        text = slash + rest
    if not text:
        raise Invalid(f"{name}: a file: URL needs the path of a recording: write file:PATH")
    options = dict(_options(name, query))
    start = parse_time(options["from"]) if "from" in options else None
    return RecordingUrl(base / text, start, _speed(name, options.get("speed")))


def _options(name: str, query: str) -> list[tuple[str, str]]:
    pairs = [(key, unquote(value)) for key, _, value in (part.partition("=") for part in query.split("&") if part)]
    for key, _ in pairs:
        if key not in ("from", "speed"):
            raise Invalid(f"{name}: a recording has no option {key!r}, only `from` and `speed`")
    return pairs


def _speed(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    if not _SPEED.fullmatch(text) or not float(text):
        raise Invalid(f"{name}: speed is {text!r}, but must be a number above zero: seconds of the chain a second")
    return float(text)
