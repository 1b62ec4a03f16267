"""How the tests read a simulated vault: through the conversation, in the order of the chain."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyalty.core.logs import RawLog
from loyalty.core.spans import Span
from loyalty.protocols.vaults.stream_vault.adapter import SpanFacts, read_span
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from tests.protocols.vaults.simulation import VAULT, StreamVault

Read = Callable[..., tuple[SpanFacts, VaultLedger]]


@pytest.fixture(scope="session")
def read(driver: Any) -> Read:
    """`read(vault)`, or `read(vault, logs)` where the endpoint answers something else than what the vault wrote."""

    def read_vault(vault: StreamVault, logs: Sequence[RawLog] | None = None) -> tuple[SpanFacts, VaultLedger]:
        ledger = VaultLedger(VAULT, vault.decimals)
        drive = driver(vault.chain.logs if logs is None else logs)
        return drive(read_span({VAULT: ledger}, Span(0, vault.chain.block + 1))), ledger

    return read_vault
