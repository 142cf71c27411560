"""Group listening: what others said."""

from typing import Any

import dagster as dg

from assets.corpus import listening_rules
from assets.results import OWNERS, table_result
from resources.rounds import hear
from resources.workbench import Workbench


@dg.asset(group_name="listening", kinds={"postgres"}, owners=OWNERS, deps=[listening_rules])
def posts(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Posts heard on the enabled channels; one row per platform and post id, never twice."""
    return table_result(bench, "posts", {"heard": dg.MetadataValue.json(hear(bench).as_dict())})
