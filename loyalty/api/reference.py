"""The OpenAPI document as rows that a page can show: every operation, its parameters, every field of its answer."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

DEPTH_MOST = 6


class FieldRow(NamedTuple):
    """A parameter or a field: `name` is its path within the answer."""

    name: str
    kind: str
    meaning: str
    example: str


class Operation(NamedTuple):
    """A method on a path."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[FieldRow]
    body: list[FieldRow]
    answer: list[FieldRow]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation, in the document's order."""
    return [
        _operation(document, method, path, each)
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]


def _operation(document: Mapping[str, Any], method: str, path: str, each: Mapping[str, Any]) -> Operation:
    parameters = [
        FieldRow(p["name"], f"{p['in']}, {_kind(p['schema'])}", p.get("description", ""), _example(p["schema"]))
        for p in each.get("parameters", [])
    ]
    good: Mapping[str, Any] = next(
        (each["responses"][code] for code in ("200", "202") if code in each["responses"]), {}
    )
    return Operation(
        method.upper(),
        path,
        each.get("summary", ""),
        each.get("description", ""),
        parameters,
        list(_fields(document, _schema(each.get("requestBody", {})))),
        list(_fields(document, _schema(good))),
    )


def _schema(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[FieldRow]:
    known = _resolved(document, schema)
    if depth == DEPTH_MOST:
        return
    for name, each in known.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield FieldRow(path, _kind(each), each.get("description", ""), _example(each))
        for inner in (each, *each.get("anyOf", [])):
            inside, suffix = (inner["items"], "[].") if "items" in inner else (inner, ".")
            yield from _fields(document, inside, path + suffix, depth + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if "$ref" in schema:
        return "object"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}s"
    return str(schema.get("type", "any"))


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples") or []
    shown = examples[0] if examples else None
    return "" if isinstance(shown, (list, dict)) or shown is None else str(shown)
