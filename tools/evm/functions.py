"""Contract functions: a signature, and the bytes that call it and answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak


@dataclass(frozen=True)
class Function:
    """A function by name, its argument types and the types of its answer, in the ABI's words."""

    name: str
    arguments: tuple[str, ...]
    results: tuple[str, ...] = ()

    @cached_property
    def selector(self) -> bytes:
        return keccak(text=f"{self.name}({','.join(self.arguments)})")[:4]

    def __call__(self, *values: Any) -> bytes:
        """The call data with these arguments."""
        return self.selector + encode(self.arguments, values)

    def answer(self, data: bytes) -> tuple[Any, ...]:
        """The results in what a call returned."""
        return tuple(decode(self.results, data))


def function(name: str, arguments: Sequence[str] = (), results: Sequence[str] = ()) -> Function:
    return Function(name, tuple(arguments), tuple(results))
