"""Classify: which of the large holders are contracts, asked at the head, so that an operator learns of them in time.

An account that delegates to code (EIP-7702) is no contract: its owner holds the key. A recording knows only the
contracts that it was asked for: of a recorded chain nothing is known, and nothing fails.
"""

import asyncio

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.rules import latest_rules, rules_in_force
from loyalty.jobs.unresolved import large_stakes
from loyalty.program.epochs import epoch_at
from loyalty.state import StateTransaction, blocks, contract_codes, epochs
from loyalty.state.engine import State

SECONDS_BETWEEN_LOOKS = 600
AT_ONCE = 32
_DELEGATION = bytes.fromhex("ef0100")
_DELEGATION_BYTES = 23


class Classifier:
    """Looks at one chain's large holders, each about once a day."""

    def __init__(self, state: State, chain: Chain) -> None:
        self._state = state
        self._chain = chain
        self._looked: int | None = None

    async def turn(self, now: int) -> int:
        """The holders that are due; returns how many were looked at."""
        if self._chain.recording_facts() is not None:
            return 0
        if self._looked is not None and now < self._looked + SECONDS_BETWEEN_LOOKS:
            return 0
        due = self._due(now)
        if due is None:
            return 0
        self._looked = now
        codes = await asyncio.gather(*(self._is_contract(address) for address in due[:AT_ONCE]))
        found = {address: code for address, code in zip(due, codes, strict=False) if code is not None}
        if found:
            with StateTransaction(self._state) as connection:
                contract_codes.store(connection, self._chain.id, found, now)
        return len(found)

    def _due(self, now: int) -> list[Address] | None:
        """Large holders whose code is unknown or was looked at a day ago; None while nobody is large."""
        with self._state.read() as connection:
            large = _large(connection, self._chain.id)
            known = contract_codes.on_chain(connection, self._chain.id)
        if not large:
            return None
        return [
            address for address in large if address not in known or known[address].checked_time <= now - DAY_SECONDS
        ]

    async def _is_contract(self, address: Address) -> bool | None:
        try:
            code = await self._chain.code_at(address)
        except NoneCanAnswer:
            return None
        return None if code is None else is_contract(code)


def is_contract(code: bytes) -> bool:
    """Whether this is a contract's code, and not none or only an account's delegation."""
    return bool(code) and not (len(code) == _DELEGATION_BYTES and code.startswith(_DELEGATION))


def _large(connection: Connection, chain_id: int) -> list[Address]:
    """Large holders in the epochs that have begun and are not settled."""
    rules, header = latest_rules(connection), blocks.last(connection, chain_id)
    if rules is None or header is None or header.time < rules.start:
        return []
    running = epoch_at(rules, header.time)
    last = rules.epochs if running is None else running.number
    found: set[Address] = set()
    for number in range(epochs.settled_count(connection) + 1, last + 1):
        stakes = large_stakes(connection, rules_in_force(connection, number)[1], number)
        found |= {address for chain, address in stakes if chain == chain_id}
    return sorted(found)
