"""The demo's program and recording, indexed into databases of one's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty.chain.record import RecordingWriter
from loyalty.chain.recording_file import read_recording
from loyalty.config import load_settings
from loyalty.service import Engine
from tests.integration.scene import catch_up

ROOT = Path(__file__).parent.parent.parent
RECORDING = ROOT / "loyalty/demo/recording.jsonl.gz"
PROGRAM = ROOT / "programs/demo-one-chain.toml"
CHAIN_ID = 31337


def demo_environment(database: Path, rpc: str) -> dict[str, str]:
    """The variables of an installation that runs the demo's program."""
    return {
        "LOYALTY_PROGRAM": str(PROGRAM),
        "LOYALTY_DATABASE": str(database),
        "LOYALTY_RPC_DEMO": rpc,
        "LOYALTY_BACKUP_FOLDER": str(database.parent / "backups"),
        "LOYALTY_REFRESH_SECONDS": "0.5",
    }


@contextmanager
def demo_engine(database: Path, rpc: str) -> Iterator[Engine]:
    """An engine on the demo's program whose chain is asked at `rpc`."""
    with Engine.open(load_settings(demo_environment(database, rpc), None)) as engine, engine.lock():
        engine.prepare()
        yield engine


def indexed(database: Path, rpc: str) -> None:
    """Everything there is at `rpc`, through to the settled epochs."""
    with demo_engine(database, rpc) as engine:
        catch_up(engine)


def cut_recording(last: int, into: Path) -> Path:
    """The demo's recording up to the block `last`."""
    facts, blocks = read_recording(RECORDING)
    with RecordingWriter.open(into, facts) as writer:
        for place, header in enumerate(blocks.headers[: last + 1]):
            writer.add_block(header, list(blocks.logs_of(place)))
    return into
