"""The workbench as a Dagster resource: Dagster passes configuration, assets get the plain object."""

from pathlib import Path
from typing import Any

import dagster as dg

from resources.settings import load_settings, use_home
from resources.workbench import Workbench, open_workbench


class WorkbenchResource(dg.ConfigurableResource[Workbench]):
    """Opens the workbench of one home; without a home the one that REJOINDER_HOME names."""

    home: str | None = None

    def create_resource(self, context: Any) -> Workbench:
        """The workbench, made once per process."""
        settings = use_home(Path(self.home)) if self.home else load_settings()
        return open_workbench(settings)
