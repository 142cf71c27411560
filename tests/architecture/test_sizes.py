"""Functions and files stay as small as the design asks (CONTRIBUTING.md, "Sizes")."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rejoinder", "resources", "assets", "jobs", "sensors", "review_app", "api", "cli", "bench")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
THIN = sorted(path for package in ("assets", "sensors", "jobs") for path in (ROOT / package).rglob("*.py"))
DAGSTER_DECORATORS = {
    "asset", "multi_asset", "asset_check", "multi_asset_check", "sensor", "asset_sensor", "run_failure_sensor",
    "run_status_sensor", "schedule", "op", "graph", "job",
}  # fmt: skip

LONGEST_FUNCTION = 40
LONGEST_DAGSTER_BODY = 15
LONGEST_FILE = 300
MEDIAN_FUNCTION = 8
NINE_TENTHS_OF_FUNCTIONS = 25


class Sized(NamedTuple):
    """A function and the lines of its body, its docstring left out."""

    name: str
    lines: int


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def body_lines(node: Function) -> int:
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if not body:
        return 0
    return (node.end_lineno or 0) - body[0].lineno + 1


def sized(path: Path) -> list[Sized]:
    where = path.relative_to(ROOT)
    return [Sized(f"{where}:{node.lineno} {node.name}", body_lines(node)) for node in functions(path)]


def is_dagster_definition(node: Function) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in DAGSTER_DECORATORS:
            return True
    return False


def test_lines_are_counted_without_the_docstring() -> None:
    source = 'def f():\n    """Say.\n\n    More.\n    """\n    a = 1\n    return a\n\ndef g():\n    """Only said."""\n'
    f, g = ast.parse(source).body
    assert isinstance(f, ast.FunctionDef)
    assert isinstance(g, ast.FunctionDef)
    assert (body_lines(f), body_lines(g)) == (2, 0)


@pytest.mark.parametrize(
    ("decorator", "expected"),
    [("@dg.asset(group_name='a')", True), ("@asset", True), ("@dg.sensor(job=j)", True), ("@cache", False)],
)
def test_dagster_definitions_are_recognised(decorator: str, expected: bool) -> None:
    node = ast.parse(f"{decorator}\ndef f(): ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    assert is_dagster_definition(node) is expected


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_is_long(path: Path) -> None:
    assert [f for f in sized(path) if f.lines > LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", THIN, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_dagster_calls_is_thin(path: Path) -> None:
    fat = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {body_lines(node)}"
        for node in functions(path)
        if is_dagster_definition(node) and body_lines(node) > LONGEST_DAGSTER_BODY
    ]
    assert fat == []


def test_most_functions_are_short() -> None:
    lines = [f.lines for path in FILES for f in sized(path)]
    ninth_decile = statistics.quantiles(lines, n=10)[8]
    assert statistics.median(lines) <= MEDIAN_FUNCTION
    assert ninth_decile <= NINE_TENTHS_OF_FUNCTIONS
