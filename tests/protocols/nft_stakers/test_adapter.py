"""Stakers' logs: what is asked for, and what each says of a token's depositor."""

from collections.abc import Sequence

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PositionStake, PositionToken
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.nft_stakers.adapter import StakeSpan, queries, read_span
from loyalty.protocols.nft_stakers.shape import parse_shape
from loyalty.protocols.nft_stakers.staker import Staker

MANAGER, UNISWAP, OTHER, ALICE, BOB = (Address("0x" + each * 40) for each in "12345")
TRANSFERRED = parse_shape(
    "DepositTransferred(uint256 indexed tokenId, address indexed oldOwner, address indexed newOwner)"
)
DEPOSIT = parse_shape("Deposit(address indexed user, uint64 until, uint256 tokenId)")
WITHDRAW = parse_shape("Withdraw(address indexed user, uint128 tokenId)", withdraws=True)
STAKERS = [Staker(UNISWAP, MANAGER, (TRANSFERRED,)), Staker(OTHER, MANAGER, (DEPOSIT, WITHDRAW))]
SPAN = Span(10, 20)


def word(value: int | str) -> bytes:
    return value.to_bytes(32) if isinstance(value, int) else bytes(12) + bytes.fromhex(value[2:])


def log(contract: Address, index: int, topics: Sequence[bytes], data: bytes = b"") -> RawLog:
    return RawLog(10, index, 1000, contract, tuple(topics), data, b"t" * 32, "0xb")


def read(*logs: RawLog, stakers: Sequence[Staker] = STAKERS, span: Span = SPAN) -> StakeSpan:
    conversation = read_span(stakers, span)
    try:
        next(conversation)
        conversation.send(logs)
    except StopIteration as end:
        return end.value
    raise AssertionError("it asked twice")


def stake(contract: Address, index: int, token_id: int, account: Address) -> PositionStake:
    return PositionStake(contract, 10, index, 1000, PositionToken(MANAGER, token_id), account, b"t" * 32)


def test_all_stakers_are_asked_at_once_for_their_events() -> None:
    topics = (TRANSFERRED.topic0, DEPOSIT.topic0, WITHDRAW.topic0)
    assert queries(STAKERS, SPAN) == [LogQuery((UNISWAP, OTHER), (topics,), SPAN)]


def test_nothing_is_asked_without_stakers_or_blocks() -> None:
    assert read(stakers=[]) == read(span=Span(10, 10)) == StakeSpan([], 0)


def test_words_are_read_by_the_shape_of_the_event() -> None:
    found = read(
        log(UNISWAP, 1, [TRANSFERRED.topic0, word(7), word(ZERO_ADDRESS), word(ALICE)]),
        log(OTHER, 2, [DEPOSIT.topic0, word(BOB)], word(99) + word(8)),
        log(OTHER, 3, [WITHDRAW.topic0, word(BOB)], word(8)),
        log(UNISWAP, 4, [TRANSFERRED.topic0, word(7), word(ALICE), word(ZERO_ADDRESS)]),
    )
    assert found == StakeSpan(
        [
            stake(UNISWAP, 1, 7, ALICE),
            stake(OTHER, 2, 8, BOB),
            stake(OTHER, 3, 8, ZERO_ADDRESS),
            stake(UNISWAP, 4, 7, ZERO_ADDRESS),
        ],
        4,
    )


def test_another_staker_s_event_says_nothing_in_this_one() -> None:
    assert read(log(UNISWAP, 1, [DEPOSIT.topic0, word(BOB)], word(99) + word(8))) == StakeSpan([], 1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (log(OTHER, 1, [DEPOSIT.topic0, word(BOB), word(8)], word(99)), "3 topics and 32 bytes of data, which is not"),
        (log(OTHER, 1, [DEPOSIT.topic0, word(BOB)], word(99)), "2 topics and 32 bytes of data, which is not"),
        (log(OTHER, 1, [WITHDRAW.topic0, word(BOB)], word(2**128)), "does not fit uint128"),
        (log(OTHER, 1, [DEPOSIT.topic0, word(2**200)], word(9) + word(8)), "is not an address"),
        (log(ALICE, 1, [DEPOSIT.topic0, word(BOB)], word(9) + word(8)), "it was not asked for"),
    ],
)
def test_a_log_that_cannot_be_is_refused(wrong: RawLog, told: str) -> None:
    with pytest.raises(Inconsistent, match=told):
        read(wrong)


def test_stakers_named_twice_or_without_events_of_their_own_are_refused() -> None:
    with pytest.raises(Invalid, match="is named twice"):
        queries([STAKERS[0], STAKERS[0]], SPAN)
    for shapes in ((), (DEPOSIT, DEPOSIT)):
        with pytest.raises(Invalid, match="give its events, each once"):
            queries([Staker(OTHER, MANAGER, shapes)], SPAN)
