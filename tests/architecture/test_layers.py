"""The import contracts of pyproject.toml hold, and each of them can break."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rejoinder", "resources", "assets", "jobs", "sensors", "review_app", "api", "cli", "bench")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

WRONG_EDITS = {
    "the domain imports Dagster": ("rejoinder/ids.py", "import dagster", "The domain is pure"),
    "the domain reads the clock": ("rejoinder/text/links.py", "import time", "The domain is pure"),
    "the domain reaches for SQL through resources": (
        "rejoinder/corpus/bm25.py",
        "import resources.postgres",
        "Layers point down",
    ),
    "an earlier stage reads a later one": (
        "rejoinder/corpus/bm25.py",
        "import rejoinder.posting.states",
        "A later stage may read an earlier one, never the reverse",
    ),
    "a new stage that nobody placed": (
        "rejoinder/unplaced.py",
        "",
        "A later stage may read an earlier one, never the reverse",
    ),
    "resources read an asset": ("resources/tuning.py", "import assets", "Layers point down"),
    "an asset reads a job": ("assets/wrong.py", "import jobs", "Layers point down"),
    "a page reads a sensor": ("review_app/wrong.py", "import sensors", "Layers point down"),
    "a page imports Dagster": (
        "review_app/wrong.py",
        "import dagster",
        "Pages and routes never run pipelines",
    ),
    "a route runs an asset": ("api/wrong.py", "import assets", "Pages and routes never run pipelines"),
    "a route reads a page": ("api/wrong.py", "import review_app", "Layers point down"),
    "a page runs an asset": ("review_app/wrong.py", "import assets", "Pages and routes never run pipelines"),
    "an asset speaks SQL": ("assets/wrong.py", "import psycopg", "SQL stays in resources"),
    "scikit-learn outside model.py": (
        "rejoinder/triage/features.py",
        "import sklearn.linear_model",
        "Only model.py imports scikit-learn, only program.py and the engine DSPy",
    ),
    "DSPy beside the engine": (
        "resources/programs.py",
        "import dspy",
        "Only model.py imports scikit-learn, only program.py and the engine DSPy",
    ),
    "MLflow outside the tracker": (
        "resources/store/posts.py",
        "import mlflow",
        "Only the tracker imports MLflow",
    ),
    "the sandbox reads the domain": (
        "resources/sandbox/limits.py",
        "import rejoinder.text.links",
        "The sandbox is an independent witness",
    ),
    "the sandbox reads a neighbour": (
        "resources/sandbox/limits.py",
        "import resources.tuning",
        "The sandbox is an independent witness",
    ),
    "the store looks into the sandbox": (
        "resources/store/posts.py",
        "import resources.sandbox.witness",
        "Only commands start the sandbox",
    ),
    "a command loads the composition root": (
        "cli/wrong.py",
        "import jobs.definitions",
        "Only Dagster loads the composition root",
    ),
    "the store reads a step": ("resources/store/posts.py", "import resources.steps", "Inside resources"),
    "a new resource that nobody placed": ("resources/unplaced.py", "", "Inside resources"),
    "two modules read each other": (
        "rejoinder/text/links.py",
        "import rejoinder.text.emptiness",
        "No cycles among siblings",
    ),
}

Lint = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts that a test may spoil."""
    ignore = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("edit", WRONG_EDITS)
def test_a_wrong_edit_breaks_the_contract_meant_for_it(edit: str, tree: Path) -> None:
    name, line, contract = WRONG_EDITS[edit]
    path = tree / name
    path.write_text((path.read_text("utf-8") if path.exists() else '"""Wrong."""\n') + f"\n{line}\n", "utf-8")
    report = lint(tree).stdout
    assert re.search(rf"^{re.escape(contract)} BROKEN", report, re.MULTILINE), report


def test_every_contract_was_seen_to_break() -> None:
    report = lint(ROOT).stdout
    contracts = set(re.findall(r"^(.+?) (?:KEPT|BROKEN)", report, re.MULTILINE))
    assert contracts == {contract for _, _, contract in WRONG_EDITS.values()}


CLOCKS = {"now", "utcnow", "today"}


def impure_calls(tree: ast.AST) -> list[str]:
    """Calls that read the clock or draw from the hidden random generator."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        owner, name = node.value.id, node.attr
        reads_clock = owner in {"datetime", "date"} and name in CLOCKS
        draws = owner == "random" and name != "Random"
        touches_system = owner == "os" and name != "PathLike"
        if reads_clock or draws or touches_system:
            found.append(f"{owner}.{name}")
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "rejoinder").rglob("*.py")), ids=lambda p: p.name)
def test_time_chance_and_system_are_arguments_of_the_domain(path: Path) -> None:
    assert impure_calls(ast.parse(path.read_text("utf-8"))) == []
