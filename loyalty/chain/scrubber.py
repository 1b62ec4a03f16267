"""What must not be shown of an endpoint's URL, and texts from outside made fit to be shown."""

import base64
import re
from urllib.parse import parse_qsl, unquote, urlsplit

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_SHORTEST_KEY = 6
_LONGEST_TEXT = 200


class Scrubber:
    """Takes every part of one URL that may be a key out of a text: paths, queries, user names, passwords, the host.

    User name and password also as they were sent: a server that repeats what it was asked repeats that header.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        pieces = [parts.netloc, parts.hostname, parts.username, parts.password, parts.query, parts.path.strip("/")]
        pieces += parts.path.split("/")
        pieces += [value for _, value in parse_qsl(parts.query)]
        pieces += [_as_in_authorization(unquote(parts.username or ""), unquote(parts.password or ""))]
        words = {form for piece in pieces if piece for form in (piece, unquote(piece))}
        self._secrets = sorted((word for word in words if len(word) >= _SHORTEST_KEY), key=len, reverse=True)

    def scrub(self, text: str) -> str:
        """The text on one line, without URLs and keys, at most 200 letters of it."""
        for secret in self._secrets:
            text = re.sub(re.escape(secret), "…", text, flags=re.IGNORECASE)
        line = " ".join(_URL.sub("…", text).split())
        return line if len(line) <= _LONGEST_TEXT else line[:_LONGEST_TEXT] + "…"


def _as_in_authorization(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()
