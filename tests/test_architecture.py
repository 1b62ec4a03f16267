"""Imports run one way, and the pure middle knows no clock, no chance, no network and no database."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "loyalty"

LAYERS = (
    {"core"},
    {"protocols", "accrual", "program"},
    {"config"},
    {"chain", "prices", "state"},
    {"jobs"},
    {"reports"},
    {"api"},
    {"service", "stopping"},
    {"worker", "supervisor"},
    {"cli"},
    {"__main__"},
)
"""From the ground up: what stands on a row may import what stands below it, and nothing beside it or above."""

ANYWHERE = {"metrics", "__init__", "demo"}
"""A package without imports of its own, and the definitions of metrics, which every edge observes."""

PURE = {"core", "protocols", "accrual", "program"}
IMPURE = {
    "time", "random", "secrets", "os", "socket", "subprocess", "threading", "asyncio", "sqlite3", "sqlalchemy",
    "httpx", "web3", "requests", "aiohttp", "urllib", "logging", "uuid", "tempfile", "shutil",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The folder, or the file, directly under loyalty/."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that the file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                deeper = PACKAGE.parent.joinpath(*(node.module or "").split("."), f"{alias.name}.py")
                folder = deeper.with_suffix("")
                yield (
                    node.lineno,
                    f"{node.module}.{alias.name}" if deeper.exists() or folder.is_dir() else node.module or "",
                )


def own(path: Path) -> Iterator[tuple[int, str]]:
    """Line and part of every import of the project itself."""
    for line, name in imports(path):
        words = name.split(".")
        if words[0] == "loyalty":
            yield line, words[1] if len(words) > 1 else "__init__"


def level(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_every_part_of_the_package_has_its_place() -> None:
    known = set().union(*LAYERS) | ANYWHERE
    assert {part_of(path) for path in modules()} <= known


@pytest.mark.parametrize("part", sorted(set().union(*LAYERS)))
def test_imports_run_one_way(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {imported}"
        for path in modules()
        if part_of(path) == part
        for line, imported in own(path)
        if imported != part and imported not in ANYWHERE and level(imported) >= level(part)
    ]
    assert wrong == []


@pytest.mark.parametrize("part", sorted(PURE))
def test_the_pure_middle_imports_nothing_that_has_a_world(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path in modules()
        if part_of(path) == part
        for line, name in imports(path)
        if name.split(".")[0] in IMPURE or name.startswith("loyalty.metrics")
    ]
    assert wrong == []


@pytest.mark.parametrize("part", sorted(PURE))
def test_the_pure_middle_asks_no_clock_and_opens_no_file(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in modules()
        if part_of(path) == part
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS)
            or (isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"})
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("part", ["core", "accrual", "program"])
def test_nothing_that_is_paid_passes_through_a_float(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in modules()
        if part_of(path) == part
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert wrong == []
