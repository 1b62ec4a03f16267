"""What JSON-RPC servers mean by their errors. They differ by vendor and are told in words, so words are looked for."""

import re
from typing import Final, Literal

Meaning = Literal["busy", "behind", "limit", "reverted", "other"]

_BUSY: Final = re.compile(
    r"\brate\b|per[ -]second|too many requests|request count|requests? limit|capacity|compute units|quota|credits"
    r"|throttl|\bbusy\b|overloaded",
    re.IGNORECASE,
)
_BEHIND: Final = re.compile(
    r"beyond|current head|head block|not found|(not|n't) be found|unknown block|not (yet )?available"
    r"|\bfuture\b|\bahead\b",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"range|limit|too many|more than|greater than|less number|exceed|time ?out|timed out|deadline|response size"
    r"|too (large|big|wide|long)|maximum|\bmax\b|query returned",
    re.IGNORECASE,
)
_REVERTED: Final = re.compile(r"revert|invalid opcode|out of gas", re.IGNORECASE)
_NO_TAG: Final = re.compile(
    r"finalized|\btag\b|unknown block|not found|not supported|unsupported|invalid (params|argument|block)",
    re.IGNORECASE,
)

_LIMIT_CODE: Final = -32005
_REVERTED_CODE: Final = 3
_NO_METHOD_OR_PARAMS: Final = frozenset({-32601, -32602})


def meaning(code: int, message: str) -> Meaning:
    """What the error asks for: to wait (busy), another endpoint (behind), a smaller question (limit), or none of it.

    Busy goes first, for "rate limit exceeded" is no limit of a span; then behind, for a "block range beyond the head"
    does not fit when halved.
    """
    if _BUSY.search(message):
        return "busy"
    if code == _REVERTED_CODE or _REVERTED.search(message):
        return "reverted"
    if _BEHIND.search(message):
        return "behind"
    if code == _LIMIT_CODE or _LIMIT.search(message):
        return "limit"
    return "other"


def says_no_tag(code: int, message: str) -> bool:
    """Whether the answer to a question for the `finalized` block means that this server knows no such tag."""
    return not _BUSY.search(message) and (code in _NO_METHOD_OR_PARAMS or _NO_TAG.search(message) is not None)
