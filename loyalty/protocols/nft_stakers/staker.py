"""A staker as a program follows it, and a log of it by the shape of its event."""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PositionStake, PositionToken
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, place, unsigned, words
from loyalty.protocols.nft_stakers.shape import EventShape


@dataclass(frozen=True, slots=True)
class Staker:
    """A contract that holds NFTs of the position manager `manager` for others, and says so by events of `shapes`."""

    contract: Address
    manager: Address
    shapes: tuple[EventShape, ...]


def check_stakers(stakers: Sequence[Staker]) -> None:
    """Raises Invalid for a staker named twice, one without events, and two events that no log could tell apart."""
    named: set[Address] = set()
    for staker in stakers:
        if staker.contract in named:
            raise Invalid(f"NFT staker {staker.contract} is named twice: name it once, with all its events")
        named.add(staker.contract)
        if len({shape.topic0 for shape in staker.shapes}) < len(staker.shapes) or not staker.shapes:
            raise Invalid(f"NFT staker {staker.contract}: give its events, each once")


def decode_stake(staker: Staker, log: RawLog) -> PositionStake:
    """What the log says of a token's depositor. Inconsistent for a log of no shape, or of another number of words."""
    shape = next((each for each in staker.shapes if log.topics and each.topic0 == log.topics[0]), None)
    if shape is None:
        raise Inconsistent(f"{place(log, 'A log')}: it is of no event of this staker that was asked for")
    found = _by_parameter(shape, log)
    where = place(log, shape.name)
    bits = int(shape.parameters[shape.token_id].type.removeprefix("uint"))
    return PositionStake(
        log.address,
        log.block,
        log.log_index,
        log.time,
        PositionToken(staker.manager, unsigned(found[shape.token_id], bits, where)),
        ZERO_ADDRESS if shape.account is None else address(found[shape.account], where),
        log.transaction_hash,
    )


def _by_parameter(shape: EventShape, log: RawLog) -> list[bytes]:
    """The word of each parameter: indexed ones from the topics, the others from the data, each in their order."""
    plain = iter(words(log, shape.name, topics=1 + shape.indexed, data_words=len(shape.parameters) - shape.indexed))
    indexed = iter(log.topics[1:])
    return [next(indexed if parameter.indexed else plain) for parameter in shape.parameters]
