"""What an import pulls in: commands answer at once, a run does not pay for libraries it does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "dagster", "mlflow", "streamlit", "sklearn", "scipy", "pandas", "polars", "pyarrow", "onnxruntime", "tweepy",
    "praw", "litellm", "duckdb", "numpy", "dspy", "nbclient",
    "fastapi", "uvicorn", "jwt",
}  # fmt: skip
# Files that hold a library's own words and are imported inside functions only (see the contracts of pyproject.toml).
MLFLOW_FILES = {"resources.mlflow_rows", "resources.tracked_relevance_model"}

FORBIDDEN = {
    "cli": HEAVY,
    "assets": {"mlflow", "sklearn", "litellm", "streamlit", "dspy", "onnxruntime"},
    "sensors": {"mlflow", "sklearn", "litellm", "streamlit", "dspy", "onnxruntime"},
    "jobs": {"mlflow", "sklearn", "litellm", "streamlit", "dspy", "onnxruntime"},
    "resources": {"mlflow", "sklearn", "litellm", "streamlit", "dspy", "duckdb", "polars"},
    "review_app": {"mlflow", "sklearn", "litellm", "dagster", "dspy", "onnxruntime"},
    "api": {"mlflow", "sklearn", "litellm", "dagster", "dspy", "onnxruntime", "streamlit"},
    "rejoinder": HEAVY - {"numpy"},
}
# Run as a script by Streamlit, or by name by Dagster: importing them is running them.
SCRIPTS = {"review_app.app"}


def modules_of(package: str) -> list[str]:
    """Dotted names of the package's modules that anybody may import for the asking."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        is_lazy = name in MLFLOW_FILES or path.name in {"model.py", "program.py", "__main__.py"}
        if not is_lazy and name not in SCRIPTS:
            found.append(name)
    return found


def imported_by(modules: list[str]) -> set[str]:
    """Top-level names of everything that importing the modules, in a process of their own, imports."""
    code = f"import {', '.join(modules)}"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


def test_an_import_is_seen() -> None:
    assert "sklearn" in imported_by(["rejoinder.triage.model"])


@pytest.mark.parametrize("package", FORBIDDEN)
def test_nothing_heavy_comes_along(package: str) -> None:
    assert imported_by(modules_of(package)) & FORBIDDEN[package] == set()


# What the gateway imports when it is opened, called, or first reads JSON.
GATEWAY_LATER = {
    "numpy", "psycopg", "psycopg_pool", "pgvector", "pydantic_settings", "jsonschema", "json_repair", "httpx", "openai",
    "mlx", "xllamacpp",
}  # fmt: skip


def test_the_gateway_is_light_until_it_is_opened() -> None:
    assert imported_by(["resources.llm.gateway.opening"]) & (HEAVY | GATEWAY_LATER) == set()
