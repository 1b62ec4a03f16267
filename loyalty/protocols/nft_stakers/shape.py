"""The shape of a staker's event, as a program writes it: the event's declaration, as in the contract's source.

    DepositTransferred(uint256 indexed tokenId, address indexed oldOwner, address indexed newOwner)
    Deposit(address indexed user, uint256 indexed tokenId, uint64 until)

Topic 0 is keccak256 of the canonical signature; indexed parameters are topics 1 to 3, the others words of the data.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from loyalty.core.errors import Invalid

_EVENT = re.compile(r"(?:event\s+)?([A-Za-z_$][\w$]*)\s*\((.*)\)\s*;?", re.ASCII | re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_SIZED = re.compile(r"(uint|int|bytes)([1-9]\d*)", re.ASCII)
_ALIASES: Final = {"uint": "uint256", "int": "int256"}
_MOST_INDEXED = 3

TOKEN_ID_NAMES: Final = ("tokenId", "token_id", "nftId", "id")
ACCOUNT_NAMES: Final = ("newOwner", "account", "user", "owner", "depositor")
"""Which parameter is meant where none is named, the first of these that the event has."""


class Parameter(NamedTuple):
    """`type` is canonical; `name` is empty where the declaration gives none."""

    type: str
    indexed: bool
    name: str


@dataclass(frozen=True, slots=True)
class EventShape:
    """`token_id` and `account` are the numbers of their parameters; without an account the event says that from here on
    nobody is the depositor."""

    name: str
    parameters: tuple[Parameter, ...]
    token_id: int
    account: int | None
    topic0: bytes

    @property
    def indexed(self) -> int:
        return sum(parameter.indexed for parameter in self.parameters)


def parse_shape(
    text: str, *, token_id: str | None = None, account: str | None = None, withdraws: bool = False
) -> EventShape:
    """The shape that `text` declares; `token_id` and `account` name their parameters.

    Without names they are the first of TOKEN_ID_NAMES and ACCOUNT_NAMES, else the only parameter of their type. One
    that `withdraws` has no account. Raises Invalid with what is allowed.
    """
    found = _EVENT.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"{text!r} is no event: write it as Name(type indexed name, …)")
    name, inside = found.groups()
    parameters = tuple(_parameter(part, text) for part in inside.split(",")) if inside.strip() else ()
    _check(parameters, text)
    chosen = None if withdraws else _choose(parameters, "account", account, ACCOUNT_NAMES, _is_account, text)
    return EventShape(
        name,
        parameters,
        _choose(parameters, "token_id", token_id, TOKEN_ID_NAMES, _is_token_id, text),
        chosen,
        _keccak(f"{name}({','.join(parameter.type for parameter in parameters)})"),
    )


def _keccak(signature: str) -> bytes:
    from eth_utils.crypto import keccak  # imported here: eth_utils costs 0.1 s at start

    return bytes(keccak(text=signature))


def _parameter(part: str, text: str) -> Parameter:
    type_, *rest = part.split() or [""]
    indexed = rest[:1] == ["indexed"]
    names = rest[1:] if indexed else rest
    if len(names) > 1 or not all(map(_NAME.fullmatch, names)):
        raise Invalid(f"{text!r}: {part.strip()!r} is no parameter: write type, indexed if it is, and name")
    return Parameter(_canonical(type_, text), indexed, "".join(names))


def _canonical(type_: str, text: str) -> str:
    canonical = _ALIASES.get(type_, type_)
    if canonical not in ("address", "bool") and not _fits(canonical):
        raise Invalid(
            f"{text!r}: the type {type_!r} is not supported. Allowed are address, bool, uint8 to uint256, int8 to "
            "int256 and bytes1 to bytes32, each one word; no arrays, tuples, string or bytes"
        )
    return canonical


def _fits(type_: str) -> bool:
    sized = _SIZED.fullmatch(type_)
    if sized is None:
        return False
    size = int(sized[2])
    return size <= 32 if sized[1] == "bytes" else size <= 256 and size % 8 == 0


def _check(parameters: Sequence[Parameter], text: str) -> None:
    indexed = sum(parameter.indexed for parameter in parameters)
    if indexed > _MOST_INDEXED:
        raise Invalid(f"{text!r}: {indexed} parameters are indexed, and an event has at most {_MOST_INDEXED}")
    names = [parameter.name for parameter in parameters if parameter.name]
    for name in names:
        if names.count(name) > 1:
            raise Invalid(f"{text!r}: two parameters are called {name}")


def _choose(
    parameters: Sequence[Parameter],
    what: str,
    wanted: str | None,
    usual: Sequence[str],
    fits: Callable[[Parameter], bool],
    text: str,
) -> int:
    """The number of the parameter that is `what`."""
    by_name = {parameter.name: number for number, parameter in enumerate(parameters) if parameter.name}
    if wanted is not None:
        if wanted not in by_name or not fits(parameters[by_name[wanted]]):
            raise Invalid(f"{text!r}: {what} = {wanted!r} names no parameter that can be it: {_allowed(what)}")
        return by_name[wanted]
    usable = [number for number, parameter in enumerate(parameters) if fits(parameter)]
    named = [by_name[name] for name in usual if by_name.get(name) in usable]
    if not named and len(usable) != 1:
        raise Invalid(
            f"{text!r}: which parameter is the {what}? {len(usable)} can be it, and none is called "
            f"{', '.join(usual)}: name it with {what} = …. {_allowed(what)}"
        )
    return named[0] if named else usable[0]


def _allowed(what: str) -> str:
    return "a token id is a uint" if what == "token_id" else "an account is an address"


def _is_token_id(parameter: Parameter) -> bool:
    return parameter.type.startswith("uint")


def _is_account(parameter: Parameter) -> bool:
    return parameter.type == "address"
