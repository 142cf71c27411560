"""How commands run Dagster assets in this process."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.runs import RunOutcome
    from resources.workbench import Workbench


def run_assets(stage: str | None) -> "RunOutcome":
    """Materialize a group, an asset or everything.

    Raises:
        KeyError: there is no such group or asset.
    """
    from jobs.runs import asset_names
    from resources.workbench import open_workbench

    names = asset_names(stage)
    return materialize_quietly(open_workbench(), names)


def materialize_quietly(
    bench: "Workbench", names: Sequence[str], config: Mapping[str, Mapping[str, Any]] | None = None
) -> "RunOutcome":
    """Materialize assets with Dagster's console lines off."""
    from jobs.runs import materialize

    return materialize(bench, names, config=config)
