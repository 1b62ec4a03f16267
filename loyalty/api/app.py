"""The application: routers, and what stands before them. From the outside in: door, CORS, gzip, sizes, kept answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from loyalty import __version__
from loyalty.api.cache import AnswerCache
from loyalty.api.database import Database
from loyalty.api.door import PREFIX, Door, SizeLimit
from loyalty.api.models.status import Problem
from loyalty.api.parameters import known_parameters
from loyalty.api.problems import tell_problems
from loyalty.api.routers import (
    admin,
    docs,
    epochs,
    health,
    page,
    points,
    pools,
    program,
    providers,
    statistics,
    status,
    tiers,
)
from loyalty.config import Settings

GZIP_FROM_BYTES = 1_000
_DESCRIPTION = (
    "A liquidity loyalty program: what every provider supplied, measured exactly, and what it earned. "
    "Amounts are decimal strings, times RFC 3339 with Z, lists are `{items, after}`, errors are RFC 9457 problems. "
    "Everything that moves says as of which block, and whether it is provisional, computed or settled."
)
_PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"description": meaning, "model": Problem}
    for code, meaning in (
        (404, "does not exist"),
        (422, "what was asked is wrong"),
        (503, "the database is not there or not ready; later may help"),
    )
}


def build(settings: Settings, database: Database, now: Callable[[], int]) -> FastAPI:
    """The application over a database. `now` is the wall clock, which only readiness and commands look at."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = FastAPI(
        title="loyalty",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the client claims
        lifespan=lifespan,
        middleware=_middleware(settings, database),
    )
    app.state.database, app.state.settings, app.state.now = database, settings, now
    tell_problems(app)
    for router in (health.root, page.router, docs.router):
        app.include_router(router)
    app.include_router(_api())
    return app


def _api() -> APIRouter:
    api = APIRouter(prefix=PREFIX, dependencies=[Depends(known_parameters)], responses=_PROBLEMS)
    for part in (program, statistics, tiers, epochs, providers, points, pools, status, health, admin):
        api.include_router(part.router)
    return api


def _middleware(settings: Settings, database: Database) -> list[Middleware]:
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "If-None-Match", "X-Admin-Key"],
        expose_headers=["ETag"],
        max_age=600,
    )
    apart = (f"{PREFIX}/admin", f"{PREFIX}/health")
    return [
        Middleware(Door),
        *([cors] if settings.cors_origins else []),
        Middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES),
        Middleware(SizeLimit),
        Middleware(AnswerCache, version=database.version, prefix=f"{PREFIX}/", apart=apart),
    ]
