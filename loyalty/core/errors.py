"""The few kinds of failure.

    LoyaltyError
    ├── Invalid       what was asked or configured is wrong; asking again cannot help
    │   └── InvalidFile   a file with all its faults at once
    ├── NotFound      what was asked for does not exist
    ├── Conflict      it exists, but contradicts what is stored (another program, a settled epoch, a taken lock)
    ├── Unavailable   an endpoint, a price source, a disk did not answer; later may help
    └── Inconsistent  facts contradict each other (a missing log, a ledger that does not add up): the step is not kept

Raised where the failure is known, with what and which; caught at the edge (CLI, API, job runner), logged once.
"""

from collections.abc import Sequence
from typing import ClassVar


class LoyaltyError(Exception):
    """A failure that is told to a person; `str()` says what was wrong, where, and what to do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class Invalid(LoyaltyError):
    code = "invalid"
    exit_code = 2


class InvalidFile(Invalid):
    """A file that cannot be used; `faults` names each fault with its place."""

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.name = name
        self.faults = tuple(faults)
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        count = len(self.faults)
        super().__init__(f"{name} has {count} {'fault' if count == 1 else 'faults'}:{lines}")


class NotFound(LoyaltyError):
    code = "not_found"


class Conflict(LoyaltyError):
    code = "conflict"


class Unavailable(LoyaltyError):
    code = "unavailable"


class Inconsistent(LoyaltyError):
    code = "inconsistent"
