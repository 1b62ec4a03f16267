"""Index: what a step refuses, and where its spans end."""

from pathlib import Path

import pytest

from loyalty.config import load_settings
from loyalty.core.errors import Inconsistent
from loyalty.jobs.index import Step
from loyalty.service import Engine
from loyalty.state import blocks, chains, pools

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = (CHECKOUT / "programs" / "demo-one-chain.toml").read_text()
RECORDING = CHECKOUT / "loyalty" / "demo" / "recording.jsonl.gz"
CHAIN = 31_337
SECOND_POOL = DEMO[DEMO.rindex("[[pools]]") : DEMO.index("# The project's own liquidity")]


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


FACTS = (
    "SELECT block, log_index, p.address, sqrt_price_x96, tick, liquidity FROM swaps JOIN pools p ON p.id = pool_id",
    "SELECT block, log_index, p.address, liquidity_delta, token_id FROM liquidity_changes "
    "JOIN pools p ON p.id = pool_id",
    "SELECT block, log_index, p.address, token_id, sender_id = recipient_id FROM position_transfers "
    "JOIN pools p ON p.id = pool_id",
)


def facts_of(demo: Engine) -> list[list[tuple[object, ...]]]:
    with demo.state.read() as connection:
        return [sorted(map(tuple, connection.exec_driver_sql(statement))) for statement in FACTS]


def test_a_uniswap_pool_that_joins_late_stores_the_facts_that_it_has_from_the_start(tmp_path: Path) -> None:
    """The second pool catches up from far behind, beside the first one, whose ledger is its own."""
    (tmp_path / "straight").mkdir()
    (tmp_path / "late").mkdir()
    with engine(tmp_path / "straight") as straight:
        straight.prepare()
        straight.index(CHAIN)
        facts = facts_of(straight)
    alone_text = DEMO.replace(SECOND_POOL, "")
    assert alone_text != DEMO
    with engine(tmp_path / "late", alone_text) as alone:
        alone.prepare()
        alone.index(CHAIN)
    with engine(tmp_path / "late") as late:
        late.prepare()
        behind = late.index_step(CHAIN)
        assert isinstance(behind, Step)
        assert behind.span.start < 1_000
        late.index(CHAIN)
        assert facts_of(late) == facts
