"""Admin: what an operator asks of the worker. Every command is in the audit log."""

import hmac
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.routing import APIRoute

from loyalty.api.commands import arguments_of, command_shape
from loyalty.api.models import status as models
from loyalty.api.parameters import Reading
from loyalty.api.problems import Refused
from loyalty.config import Settings
from loyalty.jobs.commands import ask
from loyalty.reports.shapes import Shape
from loyalty.state import commands

ACTOR = "api"
KeyHeader = Annotated[str | None, Header(alias="X-Admin-Key", description="LOYALTY_ADMIN_KEY of the installation")]


def check_key(request: Request) -> None:
    """Lets pass who has the key. The comparison takes as long for a wrong key as for a nearly right one."""
    settings: Settings = request.app.state.settings
    key = request.headers.get("x-admin-key")
    if settings.admin_key is None:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "no admin key is configured: set LOYALTY_ADMIN_KEY and restart")
    if key is None:
        challenge = {"WWW-Authenticate": 'X-Admin-Key realm="loyalty"'}
        raise Refused(HTTPStatus.UNAUTHORIZED, "the header X-Admin-Key is missing", challenge)
    wanted = settings.admin_key.get_secret_value()
    if not hmac.compare_digest(key.encode(), wanted.encode()):
        raise Refused(HTTPStatus.FORBIDDEN, "the header X-Admin-Key is wrong")


class KeyFirst(APIRoute):
    """An operation that looks at nothing of a request, its body least of all, before the key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def with_key(request: Request) -> Response:
            check_key(request)
            return await answer(request)

        return with_key


def told_in_the_reference(_: KeyHeader = None) -> None:
    """The header as OpenAPI describes it; KeyFirst has read it already."""


_REFUSALS: dict[int | str, dict[str, object]] = {
    401: {"description": "the header X-Admin-Key is missing", "model": models.Problem},
    403: {"description": "the header X-Admin-Key is wrong", "model": models.Problem},
}
router = APIRouter(
    prefix="/admin",
    tags=["admin"],
    route_class=KeyFirst,
    dependencies=[Depends(told_in_the_reference)],
    responses=_REFUSALS,
)


@router.post("/commands", response_model=models.CommandAnswer, status_code=202, summary="Ask the worker for something")
def post_command(database: Reading, request: Request, asked: models.CommandRequest) -> Shape:
    """Kinds: price set, settle, hold, release, back up, backfill, mark paid. Carried out in order; its number tells."""
    state, now = database.state(), request.app.state.now()
    number = ask(state, asked.kind, arguments_of(asked.kind, asked.arguments), ACTOR, now)
    with state.read() as connection:
        return command_shape(commands.get(connection, number))


@router.get("/commands/{number}", response_model=models.CommandAnswer, summary="What became of a command")
def get_command(
    database: Reading, number: Annotated[int, Path(description="the command's number", ge=1, le=2**31, examples=[7])]
) -> Shape:
    """`finished` is null while it waits for the worker."""
    with database.state().read() as connection:
        return command_shape(commands.get(connection, number))
