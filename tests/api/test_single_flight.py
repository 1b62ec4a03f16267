"""After a commit many ask the same at once: one computes the answer, the others wait for it."""

import asyncio

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from loyalty.api.cache import AnswerCache


class Counting:
    """An application that takes a moment, and counts who asks."""

    def __init__(self, status: int = 200) -> None:
        self.asked = 0
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        number = self.asked
        for _ in range(5):
            await asyncio.sleep(0)
        await PlainTextResponse(f"answer {number}", self.status)(scope, receive, send)


async def ask(app: AnswerCache, path: str = "/api/v1/x") -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def many(counting: Counting, versions: list[tuple[int, int]], path: str = "/api/v1/x") -> list[tuple[int, bytes]]:
    """Three at once, for each version in turn."""

    async def run() -> list[tuple[int, bytes]]:
        current = versions[0]
        app = AnswerCache(counting, lambda: current, "/api/v1/", ("/api/v1/admin",))
        answers: list[tuple[int, bytes]] = []
        for current in versions:  # noqa: B007  the lambda reads it
            answers += await asyncio.gather(*(ask(app, path) for _ in range(3)))
        return answers

    return asyncio.run(run())


def test_one_computes_and_all_get_the_answer() -> None:
    counting = Counting()
    assert many(counting, [(1, 1)]) == [(200, b"answer 1")] * 3
    assert counting.asked == 1


def test_a_new_version_is_computed_anew() -> None:
    counting = Counting()
    assert [body for _, body in many(counting, [(1, 1), (1, 2)])] == [b"answer 1"] * 3 + [b"answer 2"] * 3


def test_an_error_is_each_ones_own() -> None:
    counting = Counting(status=404)
    assert sorted(many(counting, [(1, 1)])) == [(404, b"answer 1"), (404, b"answer 2"), (404, b"answer 3")]


def test_what_is_kept_apart_is_never_kept() -> None:
    counting = Counting()
    many(counting, [(1, 1)], "/api/v1/admin/commands/1")
    assert counting.asked == 3
