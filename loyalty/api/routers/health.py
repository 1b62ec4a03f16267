"""Health: whether the process lives, whether its answers can be relied on, and what Prometheus scrapes."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from loyalty.api.health import not_ready_because
from loyalty.api.models import status as models
from loyalty.api.parameters import Reading
from loyalty.api.prometheus import scraped

router = APIRouter(tags=["operation"])
root = APIRouter(tags=["operation"])
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "not ready, with the reasons", "model": models.Readiness}
}


@root.get("/healthz", response_model=models.Alive, summary="Whether the process lives")
def get_healthz() -> dict[str, str]:
    """Says nothing of the database: restart the process only where this does not answer."""
    return {"status": "alive"}


@root.get("/readyz", response_model=models.Readiness, responses=_NOT_READY, summary="Whether answers can be relied on")
@router.get("/health", response_model=models.Readiness, responses=_NOT_READY, summary="The same as /readyz")
def get_readyz(database: Reading, request: Request) -> JSONResponse:
    """503, with reasons, where the database is missing or of another release, or the worker has not moved for long."""
    reasons = not_ready_because(database, request.app.state.now())
    content = {"status": "not_ready" if reasons else "ready", "reasons": reasons}
    return JSONResponse(content, 503 if reasons else 200, headers={"Cache-Control": "no-store"})


@root.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def get_metrics(database: Reading) -> Response:
    """In Prometheus' text format. Keep it behind the proxy: it is for operators."""
    content, media_type = scraped(database)
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-store"})
