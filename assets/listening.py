"""Group listening: what others said, and whether it still stands."""

from typing import Any

import dagster as dg

from assets.corpus import listening_rules
from assets.results import OWNERS, table_result
from resources.previews import hearing_facts
from resources.rounds import hear, recheck
from resources.workbench import Workbench


@dg.asset(group_name="listening", kinds={"postgres"}, owners=OWNERS, deps=[listening_rules])
def posts(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Posts heard on the enabled channels; one row per platform and post id, never twice."""
    heard = hear(bench).as_dict()
    facts = {name: dg.MetadataValue.json(value) for name, value in hearing_facts(bench.db).items()}
    return table_result(bench, "posts", {"heard": dg.MetadataValue.json(heard), **facts})


@dg.asset(group_name="listening", kinds={"postgres"}, owners=OWNERS, deps=[posts])
def post_standings(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Whether heard posts still stand: what was edited goes back to triage, what is gone is withdrawn and purged."""
    report = recheck(bench).as_dict()
    return table_result(bench, "post_standings", {"rechecked": dg.MetadataValue.json(report)})
