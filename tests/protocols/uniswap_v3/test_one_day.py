"""USDC/WETH on 2024-01-05: each log decoded as web3.py decodes it, each token matched, and the holdings of the day as
another program computed them.

Its file `user_lp.csv` names an address where we name an owner: that of a token's row is the sender of a transaction,
which owns nothing, so tokens are compared by id. Of a position without a token it is the owner, as here.
"""

import csv
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import NamedTuple

import pytest
from web3 import Web3

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.facts import LiquidityChange, PositionToken, PositionTransfer
from loyalty.core.spans import Span
from loyalty.protocols.abi import unsigned_word
from loyalty.protocols.uniswap_v3 import events, topics
from loyalty.protocols.uniswap_v3.adapter import read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger

POOL = Address("0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
OTHER_POOL = Address("0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8")
MANAGER = Address("0xc36442b4a4522e871399cd717abdd847ab11fe88")
SOMEBODY = Address("0x" + "50" * 20)
DAY = Span(18_937_000, 18_945_000)


@pytest.fixture(scope="module")
def logs(recorded):
    return recorded("usdc-weth-2024-01-05")


# Every log as web3.py decodes it --------------------------------------------------------------------------------------


def event_abi(name, *fields):
    """Fields as "type name" or "type! name" where indexed."""
    inputs = [
        {"type": kind.rstrip("!"), "name": field, "indexed": kind.endswith("!")}
        for kind, field in map(str.split, fields)
    ]
    return {"type": "event", "name": name, "anonymous": False, "inputs": inputs}


RANGE = ("int24! tickLower", "int24! tickUpper")
AMOUNTS = ("uint256 amount0", "uint256 amount1")
ABI = {
    topics.SWAP: event_abi(
        *("Swap", "address! sender", "address! recipient", "int256 amount0", "int256 amount1"),
        *("uint160 sqrtPriceX96", "uint128 liquidity", "int24 tick"),
    ),
    topics.MINT: event_abi("Mint", "address sender", "address! owner", *RANGE, "uint128 amount", *AMOUNTS),
    topics.BURN: event_abi("Burn", "address! owner", *RANGE, "uint128 amount", *AMOUNTS),
    topics.POOL_COLLECT: event_abi(
        "Collect", "address! owner", "address recipient", *RANGE, "uint128 amount0", "uint128 amount1"
    ),
    topics.INCREASE_LIQUIDITY: event_abi("IncreaseLiquidity", "uint256! tokenId", "uint128 liquidity", *AMOUNTS),
    topics.DECREASE_LIQUIDITY: event_abi("DecreaseLiquidity", "uint256! tokenId", "uint128 liquidity", *AMOUNTS),
    topics.TOKEN_COLLECT: event_abi("Collect", "uint256! tokenId", "address recipient", *AMOUNTS),
}


def amounts(event):
    return {"amount0": event.amount0, "amount1": event.amount1}


def of_swap(log):
    swap = events.decode_swap(log)
    price = {"sqrtPriceX96": swap.sqrt_price_x96, "liquidity": swap.liquidity, "tick": swap.tick}
    return price | amounts(swap)


def of_range(decode, sign):
    def fields(log):
        change = decode(log)
        place = {"owner": change.owner, "tickLower": change.lower, "tickUpper": change.upper}
        return place | {"amount": sign * change.liquidity_delta} | amounts(change)

    return fields


def of_pool_collect(log):
    paid = events.decode_pool_collect(log)
    place = {"owner": paid.owner, "tickLower": paid.lower, "tickUpper": paid.upper, "recipient": paid.recipient}
    return place | amounts(paid)


def of_token(decode, sign):
    def fields(log):
        change = decode(log)
        return {"tokenId": change.token.token_id, "liquidity": sign * change.liquidity_delta} | amounts(change)

    return fields


def of_token_collect(log):
    paid = events.decode_token_collect(log)
    return {"tokenId": paid.token.token_id, "recipient": paid.recipient} | amounts(paid)


FIELDS = {
    topics.SWAP: of_swap,
    topics.MINT: of_range(events.decode_mint, 1),
    topics.BURN: of_range(events.decode_burn, -1),
    topics.POOL_COLLECT: of_pool_collect,
    topics.INCREASE_LIQUIDITY: of_token(events.decode_increase_liquidity, 1),
    topics.DECREASE_LIQUIDITY: of_token(events.decode_decrease_liquidity, -1),
    topics.TOKEN_COLLECT: of_token_collect,
}
CALLERS = {topics.SWAP: {"sender", "recipient"}, topics.MINT: {"sender"}}
"""Who called, which is nobody's claim: not decoded."""


def test_the_day_holds_every_event_of_pools_and_manager(logs):
    assert Counter(ABI[log.topics[0]]["name"] for log in logs) == {
        "Swap": 6313,
        "Mint": 58,
        "Burn": 86,
        "Collect": 65 + 16 + 1421,
        "IncreaseLiquidity": 1350,
        "DecreaseLiquidity": 1082,
    }


@pytest.mark.parametrize("part", range(4))
def test_every_log_is_decoded_as_web3_decodes_it(logs, part):
    """In four parts, for web3.py takes its time."""
    web3_events = {topic: web3_event(abi) for topic, abi in ABI.items()}
    for log in logs[part::4]:
        topic = log.topics[0]
        told = web3_events[topic].process_log(as_web3(log))["args"]
        assert FIELDS[topic](log) == {
            name: value.lower() if isinstance(value, str) else value
            for name, value in told.items()
            if name not in CALLERS.get(topic, ())
        }


def web3_event(abi):
    (event,) = Web3().eth.contract(abi=[abi]).events
    return event()


def as_web3(log):
    return {
        "address": Web3.to_checksum_address(log.address),
        "topics": list(log.topics),
        "data": log.data,
        "blockNumber": log.block,
        "logIndex": log.log_index,
        "transactionHash": log.transaction_hash,
        "transactionIndex": 0,
        "blockHash": bytes.fromhex(log.block_hash[2:]),
    }


# The day's holdings ---------------------------------------------------------------------------------------------------


def with_minting_transfers(logs):
    """The recording has no NFT Transfers: one stood wherever nothing stands between a Mint and an IncreaseLiquidity."""
    by_place = {(log.block, log.log_index): log for log in logs}
    minted = []
    for log in logs:
        follower = by_place.get((log.block, log.log_index + 2))
        if log.topics[0] != topics.MINT or (log.block, log.log_index + 1) in by_place or follower is None:
            continue
        if follower.topics[0] == topics.INCREASE_LIQUIDITY:
            indexed = (unsigned_word(0), unsigned_word(int(SOMEBODY, 16)), follower.topics[1])
            place = {"address": MANAGER, "log_index": log.log_index + 1, "data": b""}
            minted.append(log._replace(topics=(topics.TRANSFER, *indexed), **place))
    return sorted([*logs, *minted], key=lambda log: (log.block, log.log_index)), minted


def opened_earlier(logs):
    """A ledger in which each token that was touched, but not minted, on the day has what the day took from it.

    That is the least that it can have held at midnight, which the recording does not tell.
    """
    ledger = Ledger([MANAGER])
    by_place = {(log.block, log.log_index): log for log in logs}
    minted = {log.topics[3] for log in logs if log.topics[0] == topics.TRANSFER}
    taken, ranges = Counter(), {}
    for log in logs:
        follower = by_place.get((log.block, log.log_index + 1))
        if log.topics[0] not in (topics.MINT, topics.BURN) or follower is None or follower.address != MANAGER:
            continue
        if (
            follower.topics[0] in (topics.INCREASE_LIQUIDITY, topics.DECREASE_LIQUIDITY)
            and follower.topics[1] not in minted
        ):
            decode = events.decode_mint if log.topics[0] == topics.MINT else events.decode_burn
            change = decode(log)
            token = PositionToken(MANAGER, int.from_bytes(follower.topics[1]))
            ranges[token] = (change.pool, change.lower, change.upper)
            taken[token] -= change.liquidity_delta
    for number, (token, (pool, lower, upper)) in enumerate(ranges.items()):
        block, held = DAY.start - 1, max(taken[token], 1)
        mint = LiquidityChange(pool, block, 2 * number, 0, MANAGER, lower, upper, held, 0, 0, token, bytes(32))
        ledger.apply(mint)
        ledger.apply(PositionTransfer(pool, block, 2 * number + 1, 0, token, ZERO_ADDRESS, SOMEBODY, bytes(32)))
    return ledger


@pytest.fixture(scope="module")
def day(logs, driver):
    """The day's liquidity changes of both pools, each with its token."""
    complete, minted = with_minting_transfers(logs)
    ledger = opened_earlier(complete)
    conversation = read_span([POOL, OTHER_POOL], {MANAGER: 0}, ledger, DAY, with_swaps=False)
    facts = driver(complete)(conversation)
    assert len(facts.transfers) == len(minted)
    return facts


def test_every_mint_and_burn_of_the_manager_finds_its_token(day):
    by_manager = [change for change in day.liquidity_changes if change.owner == MANAGER]
    assert all(change.token is not None for change in by_manager)
    mints = sum(change.liquidity_delta > 0 for change in by_manager)
    of_others = [change for change in day.liquidity_changes if change.owner != MANAGER]
    assert (mints, len(by_manager) - mints) == (29, 37)
    assert Counter(change.liquidity_delta > 0 for change in of_others) == {True: 29, False: 29}
    assert len(day.transfers) == 20


class Holding(NamedTuple):
    """A stretch in which a position's liquidity stood still; None where the day does not tell its start or end."""

    position: str
    lower: int
    upper: int
    start: int | None
    end: int | None
    liquidity: int


def holdings(changes):
    """Per position, from each change to the next; at midnight it held the least that the day's logs allow."""
    found = []
    for place, its in by_position(changes).items():
        times = [None, *(change.time for change in its), None]
        least = max(0, -sum(change.liquidity_delta for change in its))
        levels = accumulate((change.liquidity_delta for change in its), initial=least)
        stretches = zip(pairwise(times), levels, strict=True)
        found += [Holding(*place, start, end, liquidity) for (start, end), liquidity in stretches if liquidity]
    return found


def by_position(changes):
    positions = defaultdict(list)
    for change in changes:
        name = str(change.token.token_id) if change.token else f"{change.owner}-{change.lower}-{change.upper}"
        positions[name, change.lower, change.upper].append(change)
    return positions


def read_csv(path):
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            start, end = (
                int(datetime.fromisoformat(row[name]).replace(tzinfo=UTC).timestamp()) if row[name] else None
                for name in ("start_time", "end_time")
            )
            place = int(float(row["tick_lower"])), int(float(row["tick_upper"]))
            yield Holding(row["position_id"], *place, start, end, int(row["liquidity"]))


def test_holdings_are_those_of_the_other_program_and_two_that_it_leaves_out(day, shared_data):
    """It ends a holding from before the day at its first decrease, though a part is left: token 621053 stayed with
    95% and then 76% of its liquidity for 28 minutes and for five hours and three quarters more."""
    theirs = list(read_csv(shared_data / "usdc-weth-2024-01-05" / "user_lp.csv"))
    ours = holdings([change for change in day.liquidity_changes if change.pool == POOL])
    assert (len(theirs), len(ours)) == (71, 73)
    assert Counter(theirs) - Counter(ours) == Counter()
    assert Counter(ours) - Counter(theirs) == Counter(
        [
            Holding("621053", 198210, 199060, 1704469571, 1704471275, 41333055082448155),
            Holding("621053", 198210, 199060, 1704471275, 1704491987, 33066444065958524),
        ]
    )
