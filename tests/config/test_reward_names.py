"""Two reward tokens that a digest would name alike are refused before anything is paid."""

from pathlib import Path

import pytest

from loyalty.config import load_program, load_settings
from loyalty.core.errors import InvalidFile

DEMO = Path(__file__).resolve().parents[2] / "programs" / "demo-one-chain.toml"
TWIN = """
[[chains]]
name = "other"
id = 31338
rpc = ["http://127.0.0.1:9"]

[[tokens]]
symbol = "LOYAL2"
chain = "other"
address = "0x444Bf307E8A95c4944f351bD906e9c0CE035D41D"
decimals = 18

[[rewards]]
token = "LOYAL2"
total = "1"
"""


def test_the_same_address_on_two_chains_cannot_be_two_reward_tokens(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text(DEMO.read_text(encoding="utf-8") + TWIN, encoding="utf-8")
    with pytest.raises(InvalidFile, match="another address than LOYAL has: a digest names both alike"):
        load_program(path, load_settings({}, None))


def test_the_same_address_on_another_chain_may_be_any_other_token(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text(DEMO.read_text(encoding="utf-8") + TWIN.partition("[[rewards]]")[0], encoding="utf-8")
    assert "LOYAL2" in load_program(path, load_settings({}, None)).rules.tokens
