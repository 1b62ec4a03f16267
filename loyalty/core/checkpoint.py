"""A point in a chain's history: everything up to and including one log of one block."""

from typing import NamedTuple


class Checkpoint(NamedTuple):
    """Totally ordered by (block, log index); times are never used for order, blocks can share one."""

    block: int
    log_index: int


class Header(NamedTuple):
    """A block as far as we look at it: `hash` and `parent_hash` are 0x-prefixed lower-case hex, `time` unix seconds."""

    number: int
    hash: str
    parent_hash: str
    time: int
