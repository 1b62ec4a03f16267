"""The program and an independent reading of the documents come to the same numbers, to the last unit."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from tests.demo import audit, audit_epochs
from tests.demo.audit_epochs import Audit, Days, audited, divide, plain

ROOT = Path(__file__).parent.parent.parent
RECORDING = ROOT / "loyalty/demo/recording.jsonl.gz"
TRUTH = json.loads((Path(__file__).parent / "truth.json").read_text())
Numbers = dict[Any, Any]


def settled(program: Path, folder: Path) -> Path:
    """The database after `loyalty index` and `loyalty settle` on the whole recording, from nothing."""
    database = folder / "audited.db"
    own = {
        "LOYALTY_PROGRAM": str(program),
        "LOYALTY_DATABASE": str(database),
        "LOYALTY_BACKUP_FOLDER": str(folder / "backups"),
        "LOYALTY_RPC_DEMO": f"file:{RECORDING}",
        "LOYALTY_LOG_LEVEL": "warning",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOYALTY_")}
    for command in ("index", "settle"):
        run = [sys.executable, "-m", "loyalty", command]
        done = subprocess.run(run, cwd=folder, env=kept | own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return database


def numbers_of(database: Path) -> Numbers:
    """Every number that the program derived, under what it is of."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        read = connection.execute
        cells = read(
            "SELECT 'cell', pools.address, providers.address, day, usd_micro_days, usd_micro_days_in_range"
            " FROM daily_balances JOIN pools ON pools.id = pool_id JOIN providers ON providers.id = provider_id"
        )
        numbers: Numbers = {row[:4]: row[4:] for row in cells}
        epochs = read("SELECT 'epoch', number, status, digest, providers, usd_micro_days FROM epochs")
        numbers |= {row[:2]: row[2:] for row in epochs}
        budgets = read(
            "SELECT 'budget', epoch, symbol, budget_units, carried_in_units, paid_units, carried_out_units,"
            " unallocated_units FROM epoch_budgets JOIN tokens ON tokens.id = token_id"
        )
        numbers |= {row[:3]: tuple(map(int, row[3:])) for row in budgets}
        standings = read(
            "SELECT 'standing', epoch, address, usd_micro_days, participation_epoch, tier, multiplier, weight"
            " FROM participations JOIN providers ON providers.id = provider_id"
        )
        for *key, micro_days, participation, tier, multiplier, weight in standings:
            numbers[tuple(key)] = (int(micro_days), participation, tier, Fraction(multiplier), Fraction(weight))
        rewards = read(
            "SELECT 'reward', epoch, symbol, providers.address, units FROM rewards"
            " JOIN tokens ON tokens.id = token_id JOIN providers ON providers.id = provider_id"
        )
        return numbers | {row[:4]: int(row[4]) for row in rewards}


def numbers_by(second_opinion: Audit) -> Numbers:
    numbers: Numbers = {("cell", *cell): both for cell, both in second_opinion.cells.items()}
    for epoch in second_opinion.epochs:
        paid = {provider for _, provider in epoch.rewards}
        numbers["epoch", epoch.number] = ("settled", epoch.digest, len(paid), str(epoch.micro_days))
        numbers |= {("budget", epoch.number, token): tuple(budget) for token, budget in epoch.budgets.items()}
        numbers |= {("standing", epoch.number, who): tuple(standing) for who, standing in epoch.standings.items()}
        numbers |= {("reward", epoch.number, *key): units for key, units in epoch.rewards.items()}
    return numbers


def differences(ours: Numbers, theirs: Numbers) -> list[str]:
    keys = sorted(ours.keys() | theirs.keys(), key=str)
    return [f"{key}: {ours.get(key)}, not {theirs.get(key)}" for key in keys if ours.get(key) != theirs.get(key)]


def counted(numbers: Numbers) -> dict[str, int]:
    kinds = [key[0] for key in numbers]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def digests_of(numbers: Numbers) -> list[str]:
    """In the order of the epochs."""
    return [numbers["epoch", number][1] for number in sorted(key[1] for key in numbers if key[0] == "epoch")]


def test_all_thirty_epochs_of_the_demo_follow_from_its_logs_as_the_documents_say(tmp_path: Path) -> None:
    program = ROOT / "programs/demo-one-chain.toml"
    opinion = audited(program, RECORDING)
    found = numbers_by(opinion)
    assert differences(found, numbers_of(settled(program, tmp_path))) == []
    assert opinion.swaps_checked > 20_000, "each Swap.liquidity was the sum of the positions in range"
    assert counted(found)["epoch"] == 30
    assert digests_of(found) == json.loads((Path(__file__).parent / "digests.json").read_text())
    assert counted(found)["cell"] > 20_000
    assert {s.multiplier for epoch in opinion.epochs for s in epoch.standings.values()} == {
        Fraction(1),
        Fraction("1.2"),
        Fraction("1.5"),
        Fraction(2),
    }


def test_other_rules_give_what_the_documents_say_too(tmp_path: Path) -> None:
    program = other_program(tmp_path)
    opinion = audited(program, RECORDING)
    found = numbers_by(opinion)
    database = settled(program, tmp_path)
    assert differences(found, numbers_of(database)) == []
    budgets = [epoch.budgets["LOYAL"] for epoch in opinion.epochs]
    assert budgets[1].carried_in == budgets[0].own > 0, "nobody was there before the pools joined"
    assert budgets[-1].unallocated == budgets[-1].own > 0, "and nobody after they had left"
    assert {s.tier for epoch in opinion.epochs for s in epoch.standings.values()} == {None, "Guest", "Friend", "Pillar"}
    assert any(inside < full for full, inside in opinion.cells.values())
    alter(database)
    assert len(differences(found, numbers_of(database))) == 3, "a unit more, a digit less are found"


def other_program(folder: Path) -> Path:
    """The demo's pools under rules that differ in everything: dates, counts, tiers, budgets, weights and prices."""
    text = (ROOT / "programs/demo-one-chain.toml").read_text()
    places = text[text.index("[[chains]]") : text.index("[[exclusions]]")]
    for old, new in OTHER_PLACES:
        assert old in places
        places = places.replace(old, new, 1)
    for name in ("demo-prices-weth.csv", "demo-prices-loyal.csv"):
        thin_out(ROOT / "programs" / name, folder / name)
    program = folder / "other.toml"
    program.write_text(OTHER_RULES + places + "\n".join(other_exclusions(text[text.index("[[exclusions]]") :])))
    return program


def other_exclusions(treasury: str) -> list[str]:
    """The treasury late, others by the day, twice over, and on both sides of a time in which they earn."""
    owners = sorted({owner for owner, _ in TRUTH["moments"][2]["tokens"].values()})
    tables = [treasury + "from = 2026-06-05\n"]
    for n, (owner, days) in enumerate(OTHER_EXCLUSIONS):
        tables.append(f'[[exclusions]]\naddress = "{owners[owner]}"\nreason = "reason {n}"\n{days}\n')
    return tables


OTHER_EXCLUSIONS = [
    (0, "until = 2026-06-03"),
    (0, "from = 2026-06-20"),
    (1, ""),
    (1, ""),
    (2, "from = 2026-06-09\nuntil = 2026-06-11"),
]
OTHER_PLACES = [
    ('max_age = "2h"\n', ""),
    ("price_decimals = 8", "price_decimals = 11"),
    ('"demo-prices-weth.csv" }', '"demo-prices-weth.csv" }\nmax_age = "5h"'),
    ('"demo-prices-loyal.csv" }', '"demo-prices-loyal.csv" }\nmax_age = "301m"'),
    (
        'tokens = ["WETH", "USDC"]\nweight = "1"',
        'tokens = ["USDC", "WETH"]\nweight = "0.35"\nfrom = 2026-05-29\nuntil = 2026-07-01',
    ),
    ('weight = "1"\n', 'weight = "1.75"\nfrom = 2026-05-28\nuntil = 2026-06-22\n'),
]
OTHER_RULES = r"""
[program]
name = "Brücke \"Zwei\" \\ ✓"
start = 2026-05-22T00:00:00Z
epochs = 9
epoch = "5d"
count = "in_range"
minimum_usd = "900.000001"
on_lapse = "pause"

[[rewards]]
token = "LOYAL"
per_epoch = ["7", "0.000000000000000001", "1000", "0", "12345.678", "33.333333333333333333", "5", "4", "3"]

[[rewards]]
token = "USDC"
usd_share = { of = "LOYAL", fraction = "0.333333" }

[[rewards]]
token = "WETH"
total = "1.000000000000000007"

[[tiers]]
name = "Guest"
from_epoch = 2
multiplier = "1.010"

[[tiers]]
name = "Friend"
from_epoch = 3
multiplier = "1.5"
minimum_usd = "20000.5"

[[tiers]]
name = "Pillar"
from_epoch = 4
multiplier = "0.75"
minimum_usd = "100000"

"""


def thin_out(prices: Path, into: Path) -> None:
    """Every third hour is missing, every fifth a minute and a second late; longer gaps where no pool needs a price."""
    head, *rows = prices.read_text().splitlines()
    rows = [row for row in rows if not any(first <= row < end for first, end in GAPS[into.name])]
    moved = [row.replace(":00:00Z", ":01:01Z") if n % 5 == 4 else row for n, row in enumerate(rows) if n % 3 != 2]
    into.write_text("\n".join([head, *moved, ""]))


GAPS = {
    "demo-prices-weth.csv": [("2026-05-26T08", "2026-05-27T19"), ("2026-07-01T05", "2026-07-06T05")],
    "demo-prices-loyal.csv": [("2026-05-23T10", "2026-05-25T20")],
}


def alter(database: Path) -> None:
    """One unit more for somebody, a millionth of a dollar-day less, another multiplier."""
    with closing(sqlite3.connect(database)) as connection, connection:
        reward = "(provider_id, epoch, token_id) IN (SELECT provider_id, epoch, token_id FROM rewards LIMIT 1)"
        connection.execute(f"UPDATE rewards SET units = '1' || units WHERE {reward}")
        cell = "(provider_id, pool_id, day) IN (SELECT provider_id, pool_id, day FROM daily_balances LIMIT 1)"
        connection.execute(f"UPDATE daily_balances SET usd_micro_days = usd_micro_days - 1 WHERE {cell}")
        standing = "(provider_id, epoch) IN (SELECT provider_id, epoch FROM participations LIMIT 1)"
        connection.execute(f"UPDATE participations SET multiplier = '1.3' WHERE {standing}")


def test_the_second_opinion_uses_nothing_of_the_program() -> None:
    for file in (audit.__file__, audit_epochs.__file__):
        assert not re.search(r"^\s*(from|import) loyalty", Path(file).read_text(), re.MULTILINE)


def test_the_topics_are_the_hashes_of_the_signatures() -> None:
    signatures = {
        audit.INITIALIZE: "Initialize(uint160,int24)",
        audit.SWAP: "Swap(address,address,int256,int256,uint160,uint128,int24)",
        audit.MINT: "Mint(address,address,int24,int24,uint128,uint256,uint256)",
        audit.BURN: "Burn(address,int24,int24,uint128,uint256,uint256)",
        audit.INCREASE: "IncreaseLiquidity(uint256,uint128,uint256,uint256)",
        audit.DECREASE: "DecreaseLiquidity(uint256,uint128,uint256,uint256)",
        audit.TRANSFER: "Transfer(address,address,uint256)",
    }
    assert {"0x" + keccak(text=signature).hex(): signature for signature in signatures.values()} == signatures


def test_the_ends_of_the_ticks_are_those_that_the_contract_publishes() -> None:
    assert audit.sqrt_ratio(-887_272) == 4_295_128_739
    assert audit.sqrt_ratio(887_272) == 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342


def test_the_second_opinion_divides_as_the_example_of_the_rules() -> None:
    weights = {"0xaaaa": Fraction(840), "0xbbbb": Fraction(2450), "0xcccc": Fraction(1050)}
    assert divide(1000, weights) == {"0xaaaa": 194, "0xbbbb": 564, "0xcccc": 242}
    assert divide(2, dict.fromkeys(["0xcccc", "0xaaaa", "0xbbbb"], Fraction(1))) == {
        "0xaaaa": 1,
        "0xbbbb": 1,
        "0xcccc": 0,
    }


def test_the_second_opinion_writes_as_the_digest_says() -> None:
    assert [plain(Fraction(text)) for text in ("1.20", "1.0", "0.05", "20")] == ["1.2", "1", "0.05", "20"]
    assert f"{Days(None, 19_977)}" == "- 2024-09-11"
