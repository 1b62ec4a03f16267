"""docs/api.md is about this API: it shows every path, and its examples have the keys that answers have."""

import json
import re
from pathlib import Path
from typing import Any

from loyalty.api.commands import ARGUMENTS
from loyalty.jobs.commands import KINDS
from tests.api.client import Client

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
SECTION = re.compile(r"### [^\n]*`GET (/api/v1/[^`?\n]+)[^\n]*\n(.*?)(?=\n##)", re.S)


def test_every_path_is_in_the_document(client: Client) -> None:
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in DOCUMENT, path


def test_examples_have_the_keys_of_the_answers(client: Client) -> None:
    document = client.get("/openapi.json").json()
    compared = 0
    for path, section in SECTION.findall(DOCUMENT):
        for example in re.findall(r"```json\n(.*?)```", section, re.S):
            answer = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            _compare(document, answer, json.loads(example), path)
            compared += 1
    assert compared >= 9


def _compare(document: dict[str, Any], schema: dict[str, Any], example: Any, place: str) -> None:
    """Every key of the example is a field; `…` stands for what is left out."""
    properties = _properties(document, schema)
    for key, value in example.items():
        if key == "…":
            continue
        assert key in properties, f"{place}: {key}"
        for inner in value if isinstance(value, list) else [value]:
            inside = properties[key].get("items", properties[key])
            if isinstance(inner, dict) and _properties(document, inside):
                _compare(document, inside, inner, f"{place}: {key}")


def _properties(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for each in (schema, *schema.get("anyOf", [])):
        if "$ref" in each:
            found: dict[str, Any] = document["components"]["schemas"][each["$ref"].rpartition("/")[2]]["properties"]
            return found
    return {}


def test_every_kind_of_command_is_in_the_document_with_its_arguments() -> None:
    assert ARGUMENTS.keys() == set(KINDS)
    for kind, names in ARGUMENTS.items():
        row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{kind}` |"))
        for name in (*names.needed, *names.optional):
            assert f"`{name}`" in row
