"""The notebook runs on an empty home and on one with rows, and is kept without outputs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

from resources.warehouse import MARTS, mart_path, read_mart

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "engagement.ipynb"
# zmq and traitlets, not our code, leave sockets and loops to the garbage collector.
pytestmark = pytest.mark.filterwarnings("default")


def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setenv("REJOINDER_HOME", str(home))
    monkeypatch.setenv("MPLCONFIGDIR", str(home / "matplotlib"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    # Another test may have left a backend that draws nowhere.
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # On a busy machine pictures come later than the four seconds that the client waits by itself.
    NotebookClient(
        notebook,
        timeout=120,
        iopub_timeout=60,
        raise_on_iopub_timeout=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(home)}},
    ).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def said(outputs: list[Any]) -> str:
    return "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in outputs)


def pictures(outputs: list[Any]) -> int:
    return sum("image/png" in o.get("data", {}) for o in outputs)


def test_an_empty_home_gets_a_friendly_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run(tmp_path, monkeypatch)
    assert "nothing to show yet" in said(outputs) and "No reply has been measured yet" in said(outputs)
    assert pictures(outputs) == 0


def test_rows_become_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "funnel": [
            {"stage": "triage", "status": "rejected", "stage_order": 0, "posts": 7},
            {"stage": "done", "status": "completed", "stage_order": 6, "posts": 3},
        ],
        "approval": [
            {
                "split": split,
                "name": "quote",
                "period_days": 0,
                "decided": 4,
                "approved": 3,
                "approval_rate": 0.75,
            }
            for split in ("strategy", "prompt")
        ],
        "latency": [{"step": "heard_to_sent", "period_days": 0, "n": 3, "p50_s": 61.0, "p95_s": 90.0}],
        "publication": [
            {"channel": "news", "state": "sent", "publications": 3, "heard_to_sent_median_s": 60.0}
        ],
        "engagement": [
            {
                "split": "strategy",
                "name": s,
                "is_simulated": False,
                "period_days": 0,
                "window_s": w,
                "n": 2,
                "reward_n": 0,
                "likes_mean": m,
                "likes_low": low,
                "likes_high": 3.0,
                "replies_mean": 1.0,
            }
            for s, m, low in (("quote", 2.0, 1.0), ("question", None, None))
            for w in (3600, 86400)
        ],
        "faults": [{"what": "refused", "reason": "blocked", "n": 2}],
        "notices": [{"kind": "refused", "n": 2}],
        "links": [{"channel": "news", "strategy": "quote", "visits": 7, "conversions": 1, "value_usd": 12.5}],
        "spend": [{"kind": "publish", "name": "news", "calls": 3, "cost_usd": 0.25}],
        "models": [{"task": "reply", "endpoint": "fast", "calls": 3, "cost_usd": 0.25}],
    }
    for name in MARTS:
        empty = read_mart(tmp_path, name)
        given = [{"day": datetime.now(UTC).date(), **row} for row in rows[name]]
        columns = [{c: row.get(c) for c in empty.columns} for row in given]
        path = mart_path(tmp_path, name)
        path.parent.mkdir(exist_ok=True)
        pl.DataFrame(columns, schema=empty.schema).write_parquet(path)
    outputs = run(tmp_path, monkeypatch)
    assert pictures(outputs) == 2
    assert "61.0" in said(outputs) and "blocked" in said(outputs)
    assert "0.25 US dollars" in said(outputs) and "nothing to show" not in said(outputs)


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells and all(not cell.outputs and cell.execution_count is None for cell in cells)
