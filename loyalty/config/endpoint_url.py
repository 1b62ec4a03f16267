"""Endpoint URLs: http(s) of a JSON-RPC server, or `file:` of a recording. Keys stand in them: never shown."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from loyalty.config.faults import Unfit

_EXPECTED = "http://…, https://… or file:…"
_TOLD_SCHEMES = frozenset({"ws", "wss", "ipc", "ftp"})
"""A wrong scheme is repeated only where it surely is one: `user:password@host` has a scheme too."""

_KEY_IN_HOST = re.compile(r"(?=.*\d)[A-Za-z0-9_]{16,}")
"""A label of a host name that may be a key: long, with digits."""


@dataclass(frozen=True, slots=True, repr=False)
class EndpointUrl:
    """Where a chain is asked. Shown only masked; `get_secret_value` is for the one who connects."""

    _url: str

    def get_secret_value(self) -> str:
        return self._url

    @property
    def masked(self) -> str:
        """scheme://host/… without userinfo, path and query; the path of a recording, which is no secret, in full."""
        return self._url if self._url.startswith("file:") else mask_url(self._url)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"EndpointUrl({self.masked!r})"


def parse_endpoint(text: object) -> EndpointUrl:
    """The endpoint that a person or file wrote; raises Unfit, which never repeats the text."""
    if not isinstance(text, str):
        raise Unfit(expected=f"{_EXPECTED}, as a string")
    url = text.strip()
    parts = _split(url)
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https", "file"):
        raise Unfit(read=_unfit_scheme(scheme), expected=_EXPECTED)
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise Unfit(read="a URL with spaces in it", expected=f"{_EXPECTED} without spaces")
    if scheme == "file":
        return _recording(url, parts)
    if not parts.hostname:
        raise Unfit(read="a URL without a host", expected="http://host/… or https://host/…")
    return EndpointUrl(url)


def mask_url(url: str) -> str:
    """scheme://host:port/…: userinfo, path and query left out, and whatever in the host looks like a key."""
    parts = _split(url)
    host = ".".join("…" if _KEY_IN_HOST.fullmatch(label) else label for label in (parts.hostname or "").split("."))
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    userinfo = "…@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{userinfo}{host}{port}{'/…' if parts.path.strip('/') or parts.query else ''}"


def _recording(url: str, parts: SplitResult) -> EndpointUrl:
    if parts.netloc or not parts.path:
        raise Unfit(
            read="a file: URL " + ("with a host" if parts.netloc else "without a path"),
            expected="file:PATH or file:///PATH, relative to the program file",
        )
    return EndpointUrl("file:" + url[len("file:") :])


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname  # both are read late, and a wrong port is a ValueError
    except ValueError:
        raise Unfit(read="a malformed URL", expected=_EXPECTED) from None
    return parts


def _unfit_scheme(scheme: str) -> str:
    return f"a URL that starts with {scheme}:" if scheme in _TOLD_SCHEMES else "a text that starts with none of them"
