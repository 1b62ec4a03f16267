"""Index: what a step refuses, and where its spans end."""

from pathlib import Path

import pytest

from loyalty.config import load_settings
from loyalty.core.errors import Inconsistent
from loyalty.service import Engine
from loyalty.state import blocks, chains, pools

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = (CHECKOUT / "programs" / "demo-one-chain.toml").read_text()
RECORDING = CHECKOUT / "loyalty" / "demo" / "recording.jsonl.gz"
CHAIN = 31_337


def engine(folder: Path, program: str = DEMO, clock: str = "") -> Engine:
    for prices in (CHECKOUT / "programs").glob("demo-prices-*.csv"):
        (folder / prices.name).write_bytes(prices.read_bytes())
    (folder / "program.toml").write_text(program)
    environment = {
        "LOYALTY_PROGRAM": str(folder / "program.toml"),
        "LOYALTY_DATABASE": str(folder / "demo.db"),
        "LOYALTY_RPC_DEMO": f"file:{RECORDING}{clock}",
    }
    return Engine.open(load_settings(environment, None))


@pytest.mark.parametrize("start_block", [40, 400, 4_000])
def test_a_start_block_after_the_pool_was_created_is_told_and_nothing_is_kept(tmp_path: Path, start_block: int) -> None:
    late = DEMO.replace("start_block = 9\n", f"start_block = {start_block}\n")
    assert late != DEMO
    with engine(tmp_path, late) as demo:
        demo.prepare()
        with pytest.raises(Inconsistent, match=r"before its start_block|start_block is later than its creation"):
            demo.index(CHAIN)
        with demo.state.read() as connection:
            rows = {pool.start_block: pool.next_block for pool in pools.all_pools(connection, CHAIN)}
    assert rows[start_block] == start_block


def test_spans_end_where_the_program_starts_and_where_the_chain_is_final(tmp_path: Path) -> None:
    with engine(tmp_path, clock="?from=2026-05-13T00:00:00Z") as demo:
        demo.prepare()
        ends = []
        while (step := demo.index_step(CHAIN)) is not None:
            ends.append(step.span.end)
        with demo.state.read() as connection:
            known = chains.get(connection, CHAIN)
            last = blocks.last(connection, CHAIN)
    assert known.program_start_block in ends
    assert known.finalized_block is not None
    assert known.finalized_block + 1 in ends
    assert last is not None
    assert (last.number, ends[-1]) == (known.head_block, last.number + 1)


def test_indexing_goes_on_from_the_block_that_it_was_asked_to_stop_at(tmp_path: Path) -> None:
    with engine(tmp_path, clock="?from=2026-05-13T00:00:00Z") as demo:
        demo.prepare()
        demo.index(CHAIN, until=777)
        with demo.state.read() as connection:
            assert {pool.next_block for pool in pools.all_pools(connection, CHAIN)} == {778}
        step = demo.index_step(CHAIN)
        assert step is not None
        assert step.span.start == 778
