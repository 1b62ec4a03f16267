"""`loyalty backfill` on the recorded demo chain: a range at a time, refused where it would leave a gap, continued."""

import json
from pathlib import Path
from typing import Any

from loyalty.state import open_state, pools
from tests.cli.conftest import RECORDING, Loyalty


def cursors(folder: Path) -> set[int]:
    with open_state(folder / "demo.db", create=False) as state, state.read() as connection:
        return {row.next_block for row in pools.all_pools(connection)}


def chain(loyalty: Loyalty) -> dict[str, Any]:
    (only,) = json.loads(loyalty("indexer", "status", "--json").out)["chains"]
    return dict(only)


def test_a_range_is_indexed_up_to_its_last_block_and_the_next_one_goes_on_from_there(
    loyalty: Loyalty, tmp_path: Path
) -> None:
    first = loyalty("backfill", "--chain", "demo", "--to", "500")
    assert (first.code, first.out) == (0, "Everything below block 501 of demo is indexed.\n")
    assert cursors(tmp_path) == {501}
    assert loyalty("backfill", "--chain", "demo", "--from", "400", "--to", "700").code == 0
    assert cursors(tmp_path) == {701}
    rest = loyalty("backfill", "--chain", "demo")
    assert rest.code == 0
    known = chain(loyalty)
    assert (known["blocks_behind"], known["lag_seconds"], known["backfill"]) == (0, 0, None)
    assert f"Everything below block {known['head_block'] + 1} of demo is indexed." in rest.out


def test_what_is_indexed_already_is_said_and_a_gap_is_refused_with_both_blocks(
    loyalty: Loyalty, tmp_path: Path
) -> None:
    loyalty("backfill", "--chain", "demo", "--to", "500")
    again = loyalty("backfill", "--chain", "demo", "--to", "300")
    assert (again.code, again.out) == (0, "Everything up to block 500 of demo is indexed already.\n")
    some = loyalty("backfill", "--chain", "demo", "--from", "400", "--to", "510")
    assert "Blocks 400 to 500 of demo are indexed already." in some.err
    gap = loyalty("backfill", "--chain", "demo", "--from", "600")
    assert gap.code == 2
    assert "--from 600 is above block 511" in gap.err
    assert cursors(tmp_path) == {511}


def test_wrong_use_is_told(loyalty: Loyalty) -> None:
    nowhere = loyalty("backfill", "--chain", "lake")
    assert (nowhere.code, "the program has no chain 'lake': it has demo" in nowhere.err) == (2, True)
    never = loyalty("backfill", "--chain", "demo", "--to", "soon")
    assert (never.code, "--to 'soon' is neither a block number nor head" in never.err) == (2, True)


def test_a_backfill_is_stopped_shown_and_continued(loyalty: Loyalty, tmp_path: Path) -> None:
    whole = {"LOYALTY_RPC_DEMO": f"file:{RECORDING}"}  # all 30 weeks are there at once
    loyalty("backfill", "--chain", "demo", "--to", "500", **whole)
    stopped = loyalty("backfill", "--chain", "demo", "--stop", **whole)
    assert (stopped.code, "is stopped" in stopped.out) == (0, True)
    loyalty("index", **whole)
    assert cursors(tmp_path) == {501}
    assert "stopped" in loyalty("status").out
    assert chain(loyalty)["backfill"]["stopped"] is True
    assert loyalty("backfill", "--chain", "demo", "--to", "9500", **whole).code == 0
    assert chain(loyalty)["backfill"] is None
    nothing = loyalty("backfill", "--chain", "demo", "--stop", **whole)
    assert (nothing.code, "nothing of demo is behind" in nothing.err) == (1, True)
