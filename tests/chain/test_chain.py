"""A chain over servers that fail, limit, lag and contradict: what is read is what is there, or it is told why not."""

import asyncio
import random
from collections import deque
from collections.abc import Generator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.chain.block_search import last_block_between
from loyalty.chain.chain import Chain, open_chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.chain.failover import Patience
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from tests.chain.faults import FAILURES, HARMLESS, LIMITS, NOT_BELIEVED, rpc_error, status
from tests.chain.patient import CHAIN_ID, WORLD, HandClock, all_logs, chain_of, listen, run
from tests.chain.rpc_server import RpcError, RpcServer, Site
from tests.chain.world import BLOCK_SECONDS, EVENTS, GENESIS_TIME, POOLS, make_world


def test_an_honest_endpoint_is_read_whole(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    assert all_logs(chain_of(site)) == list(WORLD.logs)
    assert site.count("eth_getLogs") == 1


def test_topics_and_addresses_choose_as_eth_get_logs_does(rpc: RpcServer) -> None:
    queries = [
        LogQuery(POOLS[:1], ((EVENTS[0], EVENTS[1]),), Span(10, 200)),
        LogQuery(POOLS, ((), ((2).to_bytes(32), (3).to_bytes(32)), ()), Span(50, 300)),
    ]
    expected = sorted({log for query in queries for log in WORLD.matching(query)})
    assert run(chain_of(rpc.add(Site(WORLD))), lambda chain: chain.logs(queries)) == expected
    assert len(expected) > 100


@pytest.mark.parametrize("vendor", LIMITS)
def test_a_limit_told_in_any_vendors_words_halves_the_span(rpc: RpcServer, vendor: str) -> None:
    clock = HandClock()
    site = rpc.add(Site(WORLD, most_blocks=40, limit_error=LIMITS[vendor]))
    assert all_logs(chain_of(site, clock=clock)) == list(WORLD.logs)
    assert clock.slept == []


def test_a_limit_may_come_with_an_http_error(rpc: RpcServer) -> None:
    site = rpc.add(
        Site(WORLD, faults=deque([None, None, None, rpc_error(-32602, "block range too large", 400), status(413)]))
    )
    assert all_logs(chain_of(site)) == list(WORLD.logs)


def test_a_span_that_met_a_limit_is_remembered_and_grows_again(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD, most_blocks=40))

    async def twice(chain: Chain) -> None:
        await chain.logs([WORLD.query()])
        site.asked.clear()
        await chain.logs([WORLD.query()])

    run(chain_of(site, parallel=1), twice)
    lengths = [
        int(one["toBlock"], 16) - int(one["fromBlock"], 16) + 1 for m, (one, *_) in site.asked if m == "eth_getLogs"
    ]
    refused = [length for length in lengths if length > 40]
    assert len(refused) <= 2
    assert max(length for length in lengths if length <= 40) > 20


def test_no_span_is_longer_than_the_program_file_allows(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    chain = open_chain("arbitrum", CHAIN_ID, [site.url], most_blocks=7)
    assert run(chain, lambda chain: chain.logs([WORLD.query()])) == list(WORLD.logs)
    asked = [one for method, (one, *_) in site.asked if method == "eth_getLogs"]
    assert {int(one["toBlock"], 16) - int(one["fromBlock"], 16) + 1 for one in asked} <= {6, 7}


def test_one_block_that_is_too_much_is_asked_by_contract_and_topic(rpc: RpcServer) -> None:
    world = make_world(seed=2, blocks=3, logs_per_block=30)
    site = rpc.add(Site(world))
    honest = site.eth_getLogs

    def one_contract_and_word(wanted: dict[str, Any]) -> list[dict[str, Any]]:
        if len(wanted["address"]) > 1 or len(wanted["topics"][0]) > 1:
            raise RpcError(-32005, "limit exceeded")
        return honest(wanted)

    site.eth_getLogs = one_contract_and_word  # type: ignore[method-assign]
    found = run(chain_of(site), lambda chain: chain.logs([LogQuery(POOLS, (EVENTS,), Span(0, 3))]))
    assert found == list(world.logs)


def test_a_limit_below_one_block_is_told_with_the_block(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD, most_blocks=0))
    query = LogQuery(POOLS[:1], (), Span(7, 8))
    with pytest.raises(Unavailable, match="even for block 7 alone: a limit was met: query returned more than 10000"):
        run(chain_of(site), lambda chain: chain.logs([query]))


@pytest.mark.parametrize("cuts_at", [1000, 1234])
def test_an_answer_that_could_have_been_cut_is_asked_again_in_halves(rpc: RpcServer, cuts_at: int) -> None:
    world = make_world(seed=3, blocks=900, logs_per_block=4)
    assert len(world.logs) > 3000
    site = rpc.add(Site(world, cuts_at=cuts_at))
    assert all_logs(chain_of(site), world) == list(world.logs)


@pytest.mark.parametrize("fault", NOT_BELIEVED)
def test_an_answer_that_was_not_asked_for_is_not_believed(rpc: RpcServer, fault: str) -> None:
    bad = rpc.add(Site(WORLD, faults=deque([None, None, None, NOT_BELIEVED[fault]])))
    good = rpc.add(Site(WORLD))
    assert all_logs(chain_of(bad, good)) == list(WORLD.logs)
    assert good.count("eth_getLogs") == 1


@pytest.mark.parametrize("fault", HARMLESS)
def test_repetitions_order_and_wrong_times_do_no_harm(rpc: RpcServer, fault: str) -> None:
    site = rpc.add(Site(WORLD, finalized=299, always=HARMLESS[fault]))
    assert all_logs(chain_of(site)) == list(WORLD.logs)


def test_without_timestamps_headers_are_fetched_in_batches_once_a_block(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD, finalized=299, with_times=False))
    chain = chain_of(site)
    reading = run(chain, lambda chain: chain.read(listen([WORLD.query()]), end=300))
    blocks = {log.block for log in WORLD.logs}
    assert reading.result == list(WORLD.logs)
    assert reading.block_headers == {number: WORLD.headers[number] for number in blocks}
    numbers = [params[0] for method, params in site.asked if method == "eth_getBlockByNumber"]
    assert len(numbers) == len(blocks) + 4  # finalized, and the last block as the anchor, before and after


@pytest.mark.parametrize("most_batch", [0, 1, 7])
def test_batches_shrink_to_what_a_server_takes(rpc: RpcServer, most_batch: int) -> None:
    site = rpc.add(Site(WORLD, most_batch=most_batch))
    numbers = [*range(0, 300, 3)]
    headers = run(chain_of(site), lambda chain: chain.headers(numbers))
    assert headers == [WORLD.headers[number] for number in numbers]


def test_blocks_above_the_finalized_one_are_checked_against_their_headers(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD, finalized=250))
    reading = run(chain_of(site), lambda chain: chain.read(listen([WORLD.query()]), end=300))
    assert reading.end_header == WORLD.headers[299]
    assert reading.block_headers == {log.block: WORLD.headers[log.block] for log in WORLD.logs if log.block > 250}


def test_a_tail_of_logs_from_another_fork_is_never_read(rpc: RpcServer) -> None:
    fork = make_world(seed=1, blocks=300, fork=280)
    site = rpc.add(Site(WORLD, finalized=250))
    site.eth_getLogs = Site(fork).eth_getLogs  # type: ignore[method-assign]
    clock = HandClock()
    with pytest.raises(Unavailable, match="the chain is moving: block 28"):
        run(chain_of(site, clock=clock), lambda chain: chain.read(listen([WORLD.query()]), end=300))
    assert len(clock.slept) == 3


def test_a_reorg_during_the_reading_is_read_again(rpc: RpcServer) -> None:
    fork = make_world(seed=1, blocks=300, fork=280)
    site = rpc.add(Site(WORLD, finalized=250))
    honest = site.eth_getLogs

    def reorg_after_the_first_answer(wanted: dict[str, Any]) -> list[dict[str, Any]]:
        answer = honest(wanted)
        site.world = fork
        return answer

    site.eth_getLogs = reorg_after_the_first_answer  # type: ignore[method-assign]
    reading = run(chain_of(site), lambda chain: chain.read(listen([WORLD.query()]), end=300))
    assert reading.result == list(fork.logs)
    assert reading.end_header == fork.headers[299]


def test_a_reorg_between_two_rounds_of_a_conversation_is_unavailable(rpc: RpcServer) -> None:
    fork = make_world(seed=1, blocks=300, fork=280)
    site = rpc.add(Site(WORLD, finalized=250))

    def two_rounds() -> Generator[Sequence[LogQuery], Sequence[RawLog], None]:
        yield [WORLD.query(0, 100)]
        site.world = fork
        yield [WORLD.query(100, 300)]

    with pytest.raises(Unavailable, match="arbitrum endpoint 1: it lags or is on another fork at block 299"):
        run(chain_of(site), lambda chain: chain.read(two_rounds(), end=300))


def test_an_endpoint_that_lags_or_is_on_another_fork_is_passed_over(rpc: RpcServer) -> None:
    lagging = rpc.add(Site(make_world(seed=1, blocks=290)))
    forked = rpc.add(Site(make_world(seed=1, blocks=300, fork=280)))
    good = rpc.add(Site(WORLD))
    chain = chain_of(good, lagging, forked)
    good.faults.extend([None, None, status(500)])  # finalized and anchor are answered, then it fails
    with pytest.raises(Unavailable, match="endpoint 2: it has no block 299; arbitrum endpoint 3: it lags or is on"):
        run(_impatient(chain), lambda chain: chain.logs([WORLD.query()]))
    assert lagging.count("eth_getLogs") == forked.count("eth_getLogs") == 0


def _impatient(chain: Chain) -> Chain:
    chain._failover._patience = Patience(tries=1)
    return chain


def test_conversations_are_sent_each_rounds_logs_and_their_result_is_returned(rpc: RpcServer) -> None:
    def conversation() -> Generator[Sequence[LogQuery], Sequence[RawLog], tuple[int, int]]:
        first = yield [WORLD.query(0, 100), WORLD.query(50, 120)]
        second = yield []
        third = yield [WORLD.query(120, 300)]
        assert list(second) == []
        return len(first), len(third)

    reading = run(chain_of(rpc.add(Site(WORLD))), lambda chain: chain.read(conversation(), end=300))
    early = sum(log.block < 120 for log in WORLD.logs)
    assert reading.result == (early, len(WORLD.logs) - early)


def test_a_question_beyond_the_end_of_a_reading_is_refused(rpc: RpcServer) -> None:
    with pytest.raises(Invalid, match=r"in a reading up to 299"):
        run(chain_of(rpc.add(Site(WORLD))), lambda chain: chain.read(listen([WORLD.query()]), end=299))


def test_a_question_for_no_contract_is_refused(rpc: RpcServer) -> None:
    with pytest.raises(Invalid, match="no contract"):
        run(chain_of(rpc.add(Site(WORLD))), lambda chain: chain.logs([LogQuery((), (), Span(0, 5))]))


def test_blocks_that_are_not_there_yet_are_unavailable_not_empty(rpc: RpcServer) -> None:
    with pytest.raises(Unavailable, match="it has no block 300"):
        run(chain_of(rpc.add(Site(WORLD))), lambda chain: chain.logs([WORLD.query(290, 301)]))


def test_finalized_is_the_tag_or_so_many_confirmations_or_nothing(rpc: RpcServer) -> None:
    tagged, plain = rpc.add(Site(WORLD, finalized=250)), rpc.add(Site(WORLD))
    assert run(chain_of(tagged), lambda chain: chain.finalized()) == WORLD.headers[250]
    assert run(chain_of(plain), lambda chain: chain.finalized()) is None
    assert run(chain_of(plain, confirmations=20), lambda chain: chain.finalized()) == WORLD.headers[279]
    assert run(chain_of(plain, confirmations=300), lambda chain: chain.finalized()) is None


def test_a_server_that_is_busy_does_not_pass_for_one_without_the_tag(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD, finalized=250, faults=deque([rpc_error(-32602, "too many requests per second")])))
    assert run(chain_of(site), lambda chain: chain.finalized()) == WORLD.headers[250]


def test_the_first_block_at_a_time_is_found_by_bisection(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    for time, number in [(0, 0), (GENESIS_TIME + 1, 1), (GENESIS_TIME + 120, 10), (WORLD.head.time, 299)]:
        assert run(chain_of(site), partial(Chain.first_block_at, time=time)) == WORLD.headers[number]
    assert run(chain_of(site), lambda chain: chain.first_block_at(0, low=42)) == WORLD.headers[42]
    assert run(chain_of(site), lambda chain: chain.first_block_at(WORLD.head.time + 1)) is None
    assert len(site.asked) < 60


def test_a_step_ends_at_the_wanted_block_or_the_head(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    assert run(chain_of(site), lambda chain: chain.span_end(120)) == WORLD.headers[120]
    assert run(chain_of(site), lambda chain: chain.span_end(10**9)) == WORLD.headers[299]


def test_a_call_is_answered_and_a_refused_one_is_invalid(rpc: RpcServer) -> None:
    contract = Address("0x6c84a8f1c29108f47a79964b5fe888d4f4d0de40")
    site = rpc.add(Site(WORLD))
    assert (
        run(chain_of(site), lambda chain: chain.call(contract, b"\x31\x3c"))
        == bytes.fromhex(contract[2:]) + b"\x31\x3c"
    )
    with pytest.raises(Invalid, match="refused the call: execution reverted: no"):
        run(chain_of(site), lambda chain: chain.call(contract, bytes.fromhex("dead")))


def test_a_call_is_answered_at_any_block_whose_state_is_kept(rpc: RpcServer) -> None:
    pruned, archive = rpc.add(Site(WORLD, states_from=200)), rpc.add(Site(WORLD))
    answer = bytes.fromhex(POOLS[0][2:]) + b"\x31"
    assert run(chain_of(pruned, archive), lambda chain: chain.call(POOLS[0], b"\x31", 50)) == answer
    assert archive.asked[-1][1][1] == hex(50)
    with pytest.raises(NoneCanAnswer, match="missing trie node"):
        run(chain_of(pruned), lambda chain: chain.call(POOLS[0], b"\x31", 199))
    with pytest.raises(Invalid, match="refused the call"):
        run(chain_of(archive), lambda chain: chain.call(POOLS[0], bytes.fromhex("dead"), 50))


def test_an_endpoint_that_lags_behind_the_block_of_a_call_cannot_answer_now(rpc: RpcServer) -> None:
    lagging, good = rpc.add(Site(make_world(seed=1, blocks=290))), rpc.add(Site(WORLD))
    answer = bytes.fromhex(POOLS[0][2:]) + b"\x31"
    assert run(chain_of(lagging, good), lambda chain: chain.call(POOLS[0], b"\x31", 295)) == answer
    with pytest.raises(Unavailable, match="it has no block 295 yet: ") as caught:
        run(chain_of(lagging), lambda chain: chain.call(POOLS[0], b"\x31", 295))
    assert not isinstance(caught.value, NoneCanAnswer)


def test_an_empty_answer_to_a_call_is_passed_on(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    site.eth_call = lambda call, tag: "0x"  # type: ignore[method-assign]
    assert run(chain_of(site), lambda chain: chain.call(POOLS[0], b"\x31", 50)) == b""


def test_the_last_block_at_a_time_is_found_in_a_handful_of_questions(rpc: RpcServer) -> None:
    site = rpc.add(Site(WORLD))
    for time, number in [(GENESIS_TIME, 0), (GENESIS_TIME + 125, 10), (WORLD.head.time - 1, 298)]:
        site.asked.clear()
        assert run(chain_of(site), partial(Chain.last_block_at, time=time)) == WORLD.headers[number]
        assert len(site.asked) <= 5
    for time in (GENESIS_TIME - 1, WORLD.head.time):
        assert run(chain_of(site), partial(Chain.last_block_at, time=time)) is None


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.sampled_from([0, 0, 1, 12, 10_000]), min_size=1, max_size=200), data=st.data())
def test_the_last_block_at_a_time_is_found_at_uneven_times_and_over_gaps(steps: list[int], data: st.DataObject) -> None:
    times = list(accumulate(steps, initial=0))
    headers = [Header(3 * number, "", "", time) for number, time in enumerate([*times, times[-1] + 1])]
    time = data.draw(st.integers(0, times[-1]))
    asked: list[int] = []

    async def at_or_before(number: int) -> Header:
        asked.append(number)
        return headers[number // 3]

    found = asyncio.run(last_block_between(at_or_before, time, headers[0], headers[-1]))
    assert found == [header for header in headers if header.time <= time][-1]
    assert len(asked) <= 3 * len(headers).bit_length() + 9


def test_code_is_told_at_any_block_whose_state_is_kept(rpc: RpcServer) -> None:
    pruned = rpc.add(Site(WORLD, contracts={POOLS[0]: 50}, states_from=200))
    archive = rpc.add(Site(WORLD, contracts={POOLS[0]: 50}))

    def code(block: int | None, *sites: Site, address: Address = POOLS[0]) -> bytes | None:
        return run(chain_of(*sites), lambda chain: chain.code_at(address, block))

    assert [code(block, pruned, archive) for block in (None, 250, 50, 49)] == [b"\x60\x01"] * 3 + [b""]
    assert [code(block, pruned) for block in (None, 250, 50, 49)] == [b"\x60\x01"] * 2 + [None] * 2
    assert code(None, pruned, address=POOLS[1]) == b""


ALL_FAULTS = [*FAILURES.values(), *NOT_BELIEVED.values(), *HARMLESS.values()]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), with_times=st.booleans(), limited=st.booleans(), start=st.integers(0, 100))
def test_whatever_the_faults_the_logs_read_are_the_logs_served(
    rpc: RpcServer, seed: int, with_times: bool, limited: bool, start: int
) -> None:
    chance = random.Random(seed)
    world = make_world(seed=seed, blocks=120)

    def site() -> Site:
        faults = [chance.choice(ALL_FAULTS) if chance.random() < 0.4 else None for _ in range(25)]
        limit = chance.choice(list(LIMITS.values()))
        most_blocks = chance.randrange(1, 60) if limited else None
        return rpc.add(
            Site(
                world,
                finalized=90,
                with_times=with_times,
                most_blocks=most_blocks,
                limit_error=limit,
                faults=deque(faults),
            )
        )

    chain = chain_of(site(), site(), patience=Patience(tries=40))
    query = world.query(start, 120)
    reading = run(chain, lambda chain: chain.read(listen([query]), end=120))
    assert reading.result == world.matching(query)
    assert reading.end_header == world.headers[119]
    assert all(header == world.headers[number] for number, header in reading.block_headers.items())
    assert reading.end_header.time == BLOCK_SECONDS * 119 + GENESIS_TIME
