"""Problems: every error as RFC 9457 application/problem+json, mapped here and nowhere else."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from loyalty.core.errors import Conflict, Invalid, LoyaltyError, NotFound, Unavailable

_STATUS: tuple[tuple[type[LoyaltyError], HTTPStatus], ...] = (
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
RETRY_SECONDS = "5"
UNEXPECTED = "something went wrong here, and is in the log; asking again may help"
_log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is turned away at the door, with the HTTP status that says why."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str,
    instance: str,
    code: str | None = None,
    faults: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer. `code` names the kind of failure in `type`."""
    title = HTTPStatus(status).phrase
    content = {
        "type": f"urn:loyalty:{code}" if code else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if faults:
        content["faults"] = list(faults)
    own = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse(content, status, headers=own, media_type="application/problem+json")


def tell_problems(app: FastAPI) -> None:
    """Every exception of a request becomes a problem."""
    app.add_exception_handler(LoyaltyError, _loyalty_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http_exception)


def unexpected(instance: str) -> JSONResponse:
    """What nobody foresaw: told without any detail, logged with all of it by the caller."""
    return problem(500, UNEXPECTED, instance, "unexpected")


def _loyalty_error(request: Request, error: Exception) -> JSONResponse:
    code = getattr(error, "code", "error")
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed path=%s kind=%s error=%s", request.url.path, code, error)
    headers = {"Retry-After": RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    detail = request.app.state.database.without_place(str(error))
    return problem(status, detail, request.url.path, code, headers=headers)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return problem(error.status, str(error), request.url.path, headers=error.headers)


def _not_valid(request: Request, error: Exception) -> JSONResponse:
    """What was sent is not repeated: it may hold a key, or be long."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return problem(422, "; ".join(faults[:3]), request.url.path, "invalid", faults)


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path, headers = request.url.path, dict(error.headers or {})
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's, of a body that its JSON reader gives up on
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body cannot be read as JSON", path, Invalid.code)
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
    details = {
        404: f"{path} is not a path of this API: /docs lists them",
        405: f"{request.method} is not possible here; allowed: {headers.get('Allow', 'see /docs')}",
    }
    detail = details.get(error.status_code, str(error.detail))
    return problem(error.status_code, detail, path, headers=headers)
