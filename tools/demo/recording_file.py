"""The recording of the story: every block, with the logs that the program needs."""

from pathlib import Path

from loyalty.chain.record import RecordingWriter
from loyalty.chain.recording_format import RecordedChain, RecordedPool, RecordingFacts
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from tools.demo.recorded import Interest, Log
from tools.demo.stage import Stage, Venue

CHAIN = RecordedChain(name="demo", id=31337)
FINALITY_SECONDS = 900


def write_recording(stage: Stage, interest: Interest, path: Path) -> None:
    """Writes the recording to `path`: the same story gives the same bytes."""
    pools = tuple(_pool(venue) for venue in stage.venues.values())
    with RecordingWriter.open(
        path, RecordingFacts(chain=CHAIN, finality_seconds=FINALITY_SECONDS, pools=pools)
    ) as writer:
        for block in stage.blocks:
            writer.add_block(block.header, [_raw(block.header, log) for log in interest.logs(block)])


def _pool(venue: Venue) -> RecordedPool:
    return RecordedPool(*venue.pool[:3], *venue.decimals, *venue.pool[3:], *venue.symbols)


def _raw(header: Header, log: Log) -> RawLog:
    """A log as the node wrote it, in the program's words."""
    return RawLog(
        block=header.number,
        log_index=int(log["logIndex"], 16),
        time=header.time,
        address=Address(log["address"].lower()),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
        data=bytes.fromhex(log["data"][2:]),
        transaction_hash=bytes.fromhex(log["transactionHash"][2:]),
        block_hash=header.hash,
    )
