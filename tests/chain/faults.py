"""What endpoints do to their answers."""

import json
from collections.abc import Callable
from typing import Any

from tests.chain.rpc_server import KEY, Fault, Reply, Site

Questions = list[dict[str, Any]]


def status(code: int, retry_after: str | None = None) -> Fault:
    headers = (("Retry-After", retry_after),) if retry_after else ()
    return lambda site, questions, honest: Reply(b"go away", code, headers)


def rpc_error(code: int, message: str, http_status: int = 200) -> Fault:
    def answer(site: Site, questions: Questions, honest: Reply) -> Reply:
        error = {"jsonrpc": "2.0", "id": questions[0]["id"], "error": {"code": code, "message": message}}
        return Reply(json.dumps(error).encode(), http_status)

    return answer


def hang(site: Site, questions: Questions, honest: Reply) -> Reply:
    """No answer until the test is over."""
    site.released.wait(20)
    return honest


def cut_json(site: Site, questions: Questions, honest: Reply) -> Reply:
    return Reply(honest.body[: len(honest.body) // 2])


def html(site: Site, questions: Questions, honest: Reply) -> Reply:
    return Reply(f"<html>Bad gateway at http://127.0.0.1/{KEY}</html>".encode())


def null_result(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed(honest, lambda result: None)


def another_id(site: Site, questions: Questions, honest: Reply) -> Reply:
    answer = json.loads(honest.body)
    for one in answer if isinstance(answer, list) else [answer]:
        one["id"] = 10**9
    return Reply(json.dumps(answer).encode())


def duplicated(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: logs + logs[: len(logs) // 2])


def out_of_order(site: Site, questions: Questions, honest: Reply) -> Reply:
    """Of a batch, the answers too."""
    answer = json.loads(honest.body)
    if isinstance(answer, list):
        return Reply(json.dumps(answer[::-1]).encode())
    return _changed_logs(honest, lambda logs: logs[::-1])


def zero_time(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [{**log, "blockTimestamp": "0x0"} for log in logs])


def time_goes_back(site: Site, questions: Questions, honest: Reply) -> Reply:
    def earlier(logs: list[Any]) -> list[Any]:
        return [*logs[:-1], {**logs[-1], "blockTimestamp": "0x1"}] if len(logs) > 1 else logs

    return _changed_logs(honest, earlier)


def removed(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [{**log, "removed": True} for log in logs])


def another_address(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [{**log, "address": "0x" + "99" * 20} for log in logs])


def outside_the_span(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [{**log, "blockNumber": "0xffffff"} for log in logs])


def malformed_data(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [{**log, "data": "0x0g"} for log in logs])


def two_in_one_place(site: Site, questions: Questions, honest: Reply) -> Reply:
    return _changed_logs(honest, lambda logs: [*logs, *({**log, "data": "0x" + "ee" * 32} for log in logs[:1])])


def _changed(honest: Reply, change: Callable[[Any], Any]) -> Reply:
    answer = json.loads(honest.body)
    for one in answer if isinstance(answer, list) else [answer]:
        if "result" in one:
            one["result"] = change(one["result"])
    return Reply(json.dumps(answer).encode())


def _changed_logs(honest: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    return _changed(honest, lambda result: change(result) if isinstance(result, list) else result)


NOT_BELIEVED: dict[str, Fault] = {
    "null": null_result,
    "removed": removed,
    "another address": another_address,
    "outside the span": outside_the_span,
    "malformed": malformed_data,
    "two logs in one place": two_in_one_place,
    "another id": another_id,
}
FAILURES: dict[str, Fault] = {
    "429": status(429),
    "429 with Retry-After": status(429, "2"),
    "500": status(500),
    "503": status(503),
    "redirect": status(301),
    "cut JSON": cut_json,
    "HTML": html,
    "rate limit in words": rpc_error(-32005, "daily request count exceeded, request rate limited"),
    "internal error": rpc_error(-32603, "internal error"),
}
HARMLESS: dict[str, Fault] = {
    "duplicated": duplicated,
    "out of order": out_of_order,
    "zero time": zero_time,
    "time goes back": time_goes_back,
}
LIMITS: dict[str, tuple[int, str]] = {
    "Infura": (-32005, "query returned more than 10000 results"),
    "Alchemy": (
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the "
        "response size, or you can request any block range with a cap of 10K logs in the response. Based on your "
        "parameters, this block range should work: [0x0, 0x3e7]",
    ),
    "Ankr": (-32600, "block range is too wide"),
    "QuickNode": (-32614, "eth_getLogs is limited to a 10,000 range"),
    "Cloudflare": (-32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800"),
    "LlamaRPC": (-32000, "requested too many blocks from 0 to 5000, maximum is set to 2048"),
    "BSC": (-32005, "limit exceeded"),
    "Polygon": (-32000, "exceed maximum block range: 50000"),
    "Chainstack": (-32000, "Block range limit exceeded."),
    "Erigon": (-32000, "query timeout exceeded"),
    "Go": (-32000, "context deadline exceeded"),
    "reth": (-32602, "query exceeds max results 20000, retry with the range 0-999"),
    "proxy": (-32020, "backend response too large"),
}
