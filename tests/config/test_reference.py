"""docs/program-file.md names every key of the file and every name of the environment, and says nothing untrue."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.config import Settings, load_settings
from loyalty.config import entries as tables_of_the_file
from loyalty.config.dotenv import read_dotenv
from loyalty.config.entries import PROTOCOLS
from loyalty.config.tables import NEEDED, Table, keys

CHECKOUT = Path(__file__).parents[2]
REFERENCE = (CHECKOUT / "docs/program-file.md").read_text()

SECTIONS = {
    "ProgramTable": ("## [program]", ""),
    "RewardTable": ("## [[rewards]]", ""),
    "UsdShareTable": ("## [[rewards]]", "usd_share."),
    "TierTable": ("## [[tiers]]", ""),
    "ChainTable": ("## [[chains]]", ""),
    "PositionManagerTable": ("## [[chains]]", "position_managers."),
    "TokenTable": ("## [[tokens]]", ""),
    "PriceTable": ("## [[tokens]]", "price."),
    "PoolTable": ("## [[pools]]", ""),
    "DeploymentTable": ("## [[pools]]", "deployments."),
    "LookThroughTable": ("## [[look_through]]", ""),
    "PointsTable": ("## [[points]]", ""),
    "ExclusionTable": ("## [[exclusions]]", ""),
}


def _tables() -> Iterator[type[Table]]:
    for each in vars(tables_of_the_file).values():
        if isinstance(each, type) and issubclass(each, Table) and each is not Table and each.__name__ != "Document":
            yield each


TABLES = list(_tables())


def section(heading: str) -> str:
    return next(part for part in re.split(r"(?m)^(?=## )", REFERENCE) if part.startswith(heading))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_has_its_row_in_the_section_of_its_table(table):
    heading, prefix = SECTIONS[table.__name__]
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    for key in keys(table).values():
        row = [line for line in rows if f"`{prefix}{key.name}`" in line.split("|")[1]]
        assert len(row) == 1, key.name
        assert ("| needed |" in row[0]) == (key.default is NEEDED), key.name


def test_every_table_of_the_file_has_its_section():
    assert {table.__name__ for table in TABLES} == set(SECTIONS)
    for key in keys(tables_of_the_file.Document).values():
        assert re.search(rf"(?m)^## \[\[?{key.name}\]\]?", REFERENCE), key.name


def test_every_name_of_the_environment_is_described_and_in_the_example():
    example = (CHECKOUT / ".env.example").read_text()
    for name in Settings.model_fields:
        variable = "LOYALTY_RPC_<CHAIN>" if name == "rpc" else f"LOYALTY_{name.upper()}"
        assert f"| `{variable}` |" in REFERENCE
        assert variable.replace("<CHAIN>", "") in example


def test_the_example_environment_loads():
    values = read_dotenv(CHECKOUT / ".env.example")
    assert str(load_settings(values, None).program) == "programs/arbitrum-tbtc.toml"


def test_every_protocol_is_named():
    assert set(re.findall(r"`(\w+)`", section("## [[pools]]"))) >= {"fee_pips", "tick_spacing"}
    assert all(f'"{protocol}"' in section("## [[pools]]") for protocol in PROTOCOLS)
