"""What every asset reports of itself: counts, cost, seconds and a preview of its newest rows."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from resources.previews import Preview, preview_rows
from resources.work.runner import Report
from resources.workbench import Workbench

OWNERS = ["team:pipeline"]
PREVIEW_ROWS = 5


def step_result(
    bench: Workbench, asset: str, report: Report, more: Mapping[str, Any] | None = None
) -> dg.MaterializeResult[Any]:
    """The result of an asset that worked off one step, with more facts of its own."""
    metadata: dict[str, Any] = {
        **(more or {}),
        "worked_off": report.items,
        "seconds": round(report.seconds, 3),
        "outcomes": dg.MetadataValue.json(report.outcomes),
    }
    if report.errors:
        metadata["errors"] = dg.MetadataValue.json(dict(list(report.errors.items())[:20]))
    return table_result(bench, asset, metadata)


def table_result(bench: Workbench, asset: str, metadata: dict[str, Any]) -> dg.MaterializeResult[Any]:
    """The result of an asset, with its table's row count, model cost so far and a preview."""
    with bench.db.transaction() as tx:
        preview = preview_rows(tx, asset, top=PREVIEW_ROWS)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": preview.total,
            "cost_usd": preview.cost_usd,
            "preview": dg.MetadataValue.md(_markdown(preview)),
            **metadata,
        }
    )


def _markdown(preview: Preview) -> str:
    if not preview.rows:
        return "*(no rows yet)*"
    names = list(preview.rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(_cell(row[name]) for name in names)} |" for row in preview.rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if len(text) <= 80 else text[:79] + "…"
