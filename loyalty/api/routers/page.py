"""The page at /: plain HTML, one style sheet, one script; it reads the JSON API like anybody else."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from loyalty.api.cache import etag_of, has_it

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).parent.parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def file_answer(request: Request, name: str) -> Response:
    """A file of the page; 304 for who has it."""
    path = _FOLDER / name
    body = path.read_bytes()
    headers = {"ETag": etag_of(body), "Cache-Control": "no-cache"}
    if has_it(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=f"{_TYPES[path.suffix]}; charset=utf-8")


@router.get("/")
def get_page(request: Request) -> Response:
    return file_answer(request, "index.html")


@router.get("/page/page.css")
def get_style(request: Request) -> Response:
    return file_answer(request, "page.css")


@router.get("/page/page.js")
def get_script(request: Request) -> Response:
    return file_answer(request, "page.js")


@router.get("/favicon.svg")
def get_icon(request: Request) -> Response:
    return file_answer(request, "favicon.svg")
