"""The reference at /docs: the OpenAPI document as one plain page, without anything from elsewhere."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape

from loyalty.api.cache import etag_of, has_it
from loyalty.api.reference import operations

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).parent.parent / "page"


@lru_cache(maxsize=4)
def _rendered(app: FastAPI) -> bytes:
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(["html"]))
    document: dict[str, Any] = app.openapi()
    template = environment.get_template("docs.html")
    return template.render(info=document["info"], operations=operations(document)).encode()


@router.get("/docs")
def get_docs(request: Request) -> Response:
    body = _rendered(request.app)
    headers = {"ETag": etag_of(body), "Cache-Control": "no-cache"}
    if has_it(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/html; charset=utf-8")
