"""The recording of the second chain: what `loyalty record` hears of it, without prices and program file."""

import tempfile
from pathlib import Path

import msgspec

from loyalty.chain.record import RecordingWriter
from loyalty.chain.recording_file import read_recording
from loyalty.config import load_settings
from loyalty.service import Engine
from tools.demo.recording_file import FINALITY_SECONDS
from tools.demo.second.stage import SecondStage

CHAIN = "demo-two"


def write_recording(stage: SecondStage, program: Path, path: Path) -> None:
    """Writes the recording of the chain under this program file, which names its contracts: the same story gives the
    same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "LOYALTY_PROGRAM": str(program),
            "LOYALTY_DATABASE": str(Path(folder) / "heard.db"),
            "LOYALTY_RPC_DEMO_TWO": stage.node.url,
        }
        heard = Path(folder) / path.name
        with Engine.open(load_settings(variables, None)) as engine, engine.lock():
            (chain,) = (each for each in engine.program.chains if each.name == CHAIN)
            engine.prepare({chain.id})
            engine.index(chain.id)
            engine.record(heard, CHAIN)
        _trimmed(heard, path)


def _trimmed(heard: Path, path: Path) -> None:
    """The demo's prices lie beside its program file, which stands on its own."""
    facts, blocks = read_recording(heard)
    kept = msgspec.structs.replace(facts, program=None, prices=(), finality_seconds=FINALITY_SECONDS)
    with RecordingWriter.open(path, kept) as writer:
        for place, header in enumerate(blocks.headers):
            writer.add_block(header, list(blocks.logs_of(place)))
