"""The OpenAPI document describes every path, parameter and field."""

from collections.abc import Iterator
from typing import Any

from tests.api.client import Client

PATHS = {
    "/api/v1/program",
    "/api/v1/statistics",
    "/api/v1/tiers",
    "/api/v1/epochs",
    "/api/v1/epochs/{number}",
    "/api/v1/epochs/{number}/rewards",
    "/api/v1/providers",
    "/api/v1/providers/{address}",
    "/api/v1/providers/{address}/daily",
    "/api/v1/providers/{address}/rewards",
    "/api/v1/providers/{address}/positions",
    "/api/v1/providers/{address}/explain",
    "/api/v1/points/{address}",
    "/api/v1/leaderboard",
    "/api/v1/rounds",
    "/api/v1/events",
    "/api/v1/pools",
    "/api/v1/pools/{chain}/{address}",
    "/api/v1/status",
    "/api/v1/health",
    "/api/v1/admin/commands",
    "/api/v1/admin/commands/{number}",
    "/healthz",
    "/readyz",
    "/metrics",
}
FRAMEWORK = {"HTTPValidationError", "ValidationError"}


def test_every_path_is_there(client: Client) -> None:
    assert client.get("/openapi.json").json()["paths"].keys() == PATHS


def test_every_field_has_a_description_and_every_scalar_an_example(client: Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert len(schemas) > 30
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name not in FRAMEWORK
        for field, each in schema.get("properties", {}).items()
        if not each.get("description") or ("examples" not in each and not _is_container(each))
    ]
    assert silent == []


def _is_container(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" or "$ref" in schema or "const" in schema


def test_every_operation_and_parameter_is_described(client: Client) -> None:
    silent = []
    for where, operation in _operations(client.get("/openapi.json").json()):
        if not operation.get("summary") or not operation.get("description"):
            silent.append(where)
        silent += [f"{where} {each['name']}" for each in operation.get("parameters", []) if not each.get("description")]
    assert silent == []


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_the_reference_page_shows_every_path_and_loads_nothing_from_elsewhere(client: Client) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for path in PATHS:
        assert path in answer.text
    assert "//" not in answer.text.replace("http://127", "").split("<main")[0].replace("<!doctype", "")
    assert "weight_share" in answer.text
