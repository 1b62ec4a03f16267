"""A program file in which every key of this release is written, and ways to load it and to see it refused."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from loyalty.config import Program, Settings, load_settings
from loyalty.config.program_file import program_of
from loyalty.core.errors import InvalidFile

VALID: dict[str, Any] = {
    "program": {
        "name": "Lending the river",
        "start": datetime(2024, 9, 9, tzinfo=UTC),
        "epochs": 3,
        "epoch": "7d",
        "count": "in_range",
        "minimum_usd": "12.5",
        "on_lapse": "pause",
        "settle_after": "90m",
    },
    "rewards": [
        {"token": "ARB", "total": "50000"},
        {"token": "OP", "per_epoch": ["1", "0.5", 2]},
        {"token": "T", "usd_share": {"of": "ARB", "fraction": "0.25"}},
    ],
    "tiers": [
        {"name": "New", "from_epoch": 1, "multiplier": "1"},
        {"from_epoch": 2, "multiplier": "1.25", "minimum_usd": "100"},
    ],
    "chains": [
        {
            "name": "arbitrum-one",
            "id": 42161,
            "rpc": ["https://rpc.example/key", "file:record.gz?speed=3600"],
            "position_managers": [{"address": "0xC36442b4a4522E871399CD717aBDD847Ab11FE88", "start_block": 173}],
            "confirmations": 5,
            "span_blocks": 9_000,
            "timeout": "12s",
            "parallel": 3,
        }
    ],
    "tokens": [
        {
            "symbol": "tBTC",
            "chain": "arbitrum-one",
            "address": "0x6c84a8f1c29108F47a79964b5Fe888D4f4D0dE40",
            "decimals": 18,
            "price_decimals": 6,
            "max_age": "26h",
            "price": [{"coingecko": "tbtc"}, {"file": "tbtc.csv"}, {"fixed": "60000.123456"}],
        },
        {
            "symbol": "WBTC",
            "chain": "arbitrum-one",
            "address": "0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f",
            "decimals": 8,
            "price": {"fixed": 60000},
        },
        {"symbol": "ARB", "decimals": 18, "price": {"coingecko": "arbitrum"}},
        {"symbol": "T", "decimals": 18, "price": {"coingecko": "threshold-network-token"}},
        {"symbol": "OP", "decimals": 1},
    ],
    "pools": [
        {
            "chain": "arbitrum-one",
            "protocol": "uniswap_v3",
            "address": "0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a",
            "start_block": 91124443,
            "tokens": ["WBTC", "tBTC"],
            "fee_pips": 500,
            "tick_spacing": 10,
            "weight": "1.5",
            "from": date(2024, 9, 10),
            "until": "2024-09-20",
        }
    ],
    "exclusions": [
        {
            "address": "0x00000000000000000000000000000000000000aa",
            "reason": "treasury",
            "from": date(2024, 9, 9),
            "until": datetime(2024, 9, 16, tzinfo=UTC),
        }
    ],
}

Load = Callable[..., Program]
Refused = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="session")
def valid() -> Callable[[], dict[str, Any]]:
    """A fresh copy of the file, parsed."""
    return lambda: copy.deepcopy(VALID)


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings({}, None)


@pytest.fixture(scope="session")
def load(settings: Settings) -> Load:
    """The program of a parsed file that stands in the folder /programs."""

    def loaded(document: dict[str, Any], settings: Settings = settings) -> Program:
        return program_of(document, Path("/programs/mine.toml"), settings)

    return loaded


@pytest.fixture(scope="session")
def refused(load: Load) -> Refused:
    """The faults of a parsed file."""

    def faults(document: dict[str, Any], *settings: Settings) -> tuple[str, ...]:
        with pytest.raises(InvalidFile) as caught:
            load(document, *settings)
        return caught.value.faults

    return faults


@pytest.fixture(scope="session")
def changed(valid: Callable[[], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The valid file with values written at places such as `pools[0].weight`; None deletes the key."""

    def change(**values: object) -> dict[str, Any]:
        document = valid()
        for path, value in values.items():
            _write(document, path, value)
        return document

    return change


def _write(document: Any, path: str, value: object) -> None:
    *steps, last = (
        int(step) if step.isdigit() else step for step in path.replace("]", "").replace("[", ".").split(".")
    )
    for step in steps:
        document = document[step]
    if value is None:
        del document[last]
    elif isinstance(document, list) and last == len(document):
        document.append(value)
    else:
        document[last] = value
