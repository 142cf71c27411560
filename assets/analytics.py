"""Group analytics: marts for notebooks and dashboards."""

from typing import Any

import dagster as dg

from assets.engagement import rewards
from assets.results import OWNERS
from resources.workbench import Workbench


@dg.asset(group_name="analytics", kinds={"parquet", "polars", "duckdb"}, owners=OWNERS, deps=[rewards])
def marts(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Parquet files under the home: funnel, approval, latency, engagement, spend, faults, notices."""
    from resources.warehouse import refresh_marts

    report = refresh_marts(bench.db, bench.settings.home_dir)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(report.rows.values()),
            "rows": dg.MetadataValue.json(report.rows),
            "seconds": report.seconds,
            "cost_usd": 0.0,
        }
    )
