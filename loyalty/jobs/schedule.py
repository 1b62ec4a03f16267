"""The table of jobs: what the worker does, and how often. Nothing else stands here."""

from typing import NamedTuple, Protocol

from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS


class Turns(Protocol):
    """What the table needs of whoever carries the jobs out."""

    def index(self, chain_id: int) -> object: ...
    def keep_priced(self) -> object: ...
    def accrue(self) -> object: ...
    def score(self) -> object: ...
    def settle(self) -> object: ...
    def execute_commands(self) -> object: ...
    def back_up(self) -> object: ...
    def optimize(self) -> object: ...


class Turn(NamedTuple):
    """A job, and the seconds between two turns of it. `at_start`: the first turn does not wait."""

    name: str
    function: str
    seconds: float
    at_start: bool = True


INDEX_SECONDS = 2
"""How often a chain's head is looked at. A turn goes on until the head is reached."""


def index_job(chain_name: str) -> str:
    """The name of the job that indexes a chain: each has its own, and fails alone."""
    return f"index:{chain_name}"


COMMANDS = Turn("commands", "execute_commands", 1)


def turns(refresh_seconds: float, backup_hours: float) -> list[Turn]:
    """The jobs beside the index of each chain."""
    return [
        Turn("price", "keep_priced", 300),
        Turn("accrue", "accrue", refresh_seconds),
        Turn("score", "score", refresh_seconds),
        Turn("settle", "settle", refresh_seconds),
        COMMANDS,
        Turn("back_up", "back_up", backup_hours * HOUR_SECONDS, at_start=False),
        Turn("optimize", "optimize", DAY_SECONDS, at_start=False),
    ]
