"""Failover: whatever an endpoint does, another is asked or it is asked later, and nothing tells its key."""

import traceback
from collections import deque
from collections.abc import Awaitable, Callable

import pytest

from loyalty.chain.chain import Chain, open_chain
from loyalty.core.errors import Invalid, LoyaltyError, Unavailable
from tests.chain.faults import FAILURES, hang, html, rpc_error, status
from tests.chain.patient import CHAIN_ID, WORLD, HandClock, all_logs, chain_of, run
from tests.chain.rpc_server import KEY, Fault, Reply, RpcServer, Site
from tests.chain.world import POOLS


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failure_is_waited_out(rpc: RpcServer, fault: str) -> None:
    clock = HandClock()
    site = rpc.add(Site(WORLD, faults=deque([FAILURES[fault]] * 3)))
    assert all_logs(chain_of(site, clock=clock)) == list(WORLD.logs)
    assert len(clock.slept) == 3


def test_an_endpoint_that_fails_rests_while_another_answers_and_comes_back(rpc: RpcServer) -> None:
    clock = HandClock()
    first, second = rpc.add(Site(WORLD, faults=deque([status(500)]))), rpc.add(Site(WORLD))

    async def use(chain: Chain) -> None:
        await chain.head()
        assert (len(first.asked), len(second.asked)) == (1, 1)
        clock.time += 4.9
        await chain.head()
        assert (len(first.asked), len(second.asked)) == (1, 2)
        clock.time += 0.2
        await chain.head()
        assert (len(first.asked), len(second.asked)) == (2, 2)

    run(chain_of(first, second, clock=clock), use)
    assert clock.slept == []


def test_backoff_doubles_with_full_jitter(rpc: RpcServer) -> None:
    clock = HandClock(chance=0.5)
    site = rpc.add(Site(WORLD, faults=deque([status(500)] * 5)))
    run(chain_of(site, clock=clock), lambda chain: chain.head())
    assert clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_retry_after_is_honoured_and_bounded(rpc: RpcServer) -> None:
    clock = HandClock()
    site = rpc.add(Site(WORLD, faults=deque([status(429, "17"), status(429, "3600")])))
    with pytest.raises(
        Unavailable, match=r"arbitrum endpoint 1: it asks for fewer requests \(HTTP 429\), asks to be left"
    ):
        run(chain_of(site, clock=clock), lambda chain: chain.head())
    assert clock.slept == [17.0]


def test_a_retry_after_date_counts_from_the_servers_own_clock(rpc: RpcServer) -> None:
    def until_nine(site: Site, questions: object, honest: Reply) -> Reply:
        dates = (("Date", "Fri, 21 Nov 2025 08:59:30 GMT"), ("Retry-After", "Fri, 21 Nov 2025 09:00:00 GMT"))
        return Reply(b"", 503, dates)

    clock = HandClock()
    site = rpc.add(Site(WORLD, faults=deque([until_nine])))
    run(chain_of(site, clock=clock), lambda chain: chain.head())
    assert clock.slept[0] >= 29


def test_an_endpoint_that_hangs_is_left_after_the_timeout(rpc: RpcServer) -> None:
    hanging, good = rpc.add(Site(WORLD, always=hang)), rpc.add(Site(WORLD))
    assert run(chain_of(hanging, good, timeout_seconds=0.2), lambda chain: chain.head()) == WORLD.head
    hanging.released.set()


def test_where_all_fail_each_ones_reason_is_told(rpc: RpcServer) -> None:
    sites = [rpc.add(Site(WORLD, always=status(500))), rpc.add(Site(WORLD, always=html))]
    with pytest.raises(Unavailable) as caught:
        all_logs(chain_of(*sites))
    assert "arbitrum endpoint 1: it failed (HTTP 500)" in str(caught.value)
    assert "arbitrum endpoint 2: an answer that is not JSON, or is cut short" in str(caught.value)


def test_every_endpoint_must_be_of_the_chain(rpc: RpcServer) -> None:
    ours, other, dead = rpc.add(Site(WORLD)), rpc.add(Site(WORLD, chain_id=1)), rpc.add(Site(WORLD, always=status(500)))
    run(chain_of(ours, dead), lambda chain: chain.check())
    with pytest.raises(
        Invalid, match="arbitrum endpoint 2 is of the chain with id 1, but the program file says id 42161"
    ):
        run(chain_of(ours, other), lambda chain: chain.check())
    with pytest.raises(Unavailable, match="arbitrum endpoint 1: it failed"):
        run(chain_of(dead), lambda chain: chain.check())


def test_a_call_falls_over_to_the_next_endpoint(rpc: RpcServer) -> None:
    sites = rpc.add(Site(WORLD, always=html)), rpc.add(Site(WORLD))
    assert run(chain_of(*sites), lambda chain: chain.call(POOLS[0], b"\x01"))[-1:] == b"\x01"


def test_a_chain_can_be_used_in_one_event_loop_after_another(rpc: RpcServer) -> None:
    chain = chain_of(rpc.add(Site(WORLD)))
    assert run(chain, lambda chain: chain.head()) == run(chain, lambda chain: chain.head()) == WORLD.head


def test_every_request_is_observed_with_its_outcome(rpc: RpcServer) -> None:
    seen: list[tuple[str, str, str]] = []
    site = rpc.add(Site(WORLD, most_blocks=200, faults=deque([status(500)])))
    chain = chain_of(site, observe=lambda name, method, seconds, outcome: seen.append((name, method, outcome)))
    run(chain, lambda chain: chain.logs([WORLD.query()]))
    assert {name for name, _, _ in seen} == {"arbitrum endpoint 1"}
    assert seen[0][1:] == ("eth_getBlockByNumber", "failed")
    outcomes = [outcome for _, method, outcome in seen if method == "eth_getLogs"]
    assert outcomes == ["limit", "ok", "ok"]


REFUSED_KEY = rpc_error(-32000, f"invalid project id {KEY} at https://node.example/v2/{KEY}", 401)


@pytest.mark.parametrize("fault", [status(401), status(500), html, REFUSED_KEY, status(429, "3600")])
def test_no_message_and_no_traceback_holds_a_key(rpc: RpcServer, fault: Fault) -> None:
    site = rpc.add(Site(WORLD, always=fault))
    uses: list[Callable[[Chain], Awaitable[object]]] = [
        lambda chain: chain.head(),
        lambda chain: chain.check(),
        lambda chain: chain.call(POOLS[0], b""),
        lambda chain: chain.headers([1, 2]),
        lambda chain: chain.logs([WORLD.query()]),
    ]
    for use in uses:
        with pytest.raises(LoyaltyError) as caught:
            run(chain_of(site), use)
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert KEY not in told
        assert "127.0.0.1" not in told


def test_no_endpoint_that_is_not_there_shows_its_key(rpc: RpcServer) -> None:
    url = f"http://{KEY}:{KEY}@127.0.0.1:1/{KEY}"
    chain = open_chain("arbitrum", CHAIN_ID, [url], clock=HandClock().clock())
    with pytest.raises(Unavailable, match="the connection failed") as caught:
        run(chain, lambda chain: chain.head())
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", [f"ws://node/{KEY}", f"node/{KEY}", ""])
def test_an_endpoint_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Invalid, match="arbitrum endpoint 1 is neither") as caught:
        open_chain("arbitrum", CHAIN_ID, [url])
    assert KEY not in str(caught.value)


def test_a_chain_without_endpoints_is_refused() -> None:
    with pytest.raises(Invalid, match="the chain arbitrum has no endpoint"):
        open_chain("arbitrum", CHAIN_ID, [])
