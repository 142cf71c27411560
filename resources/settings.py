"""The environment: addresses and secrets. The only module that reads it.

Tuning (batches, time-outs, thresholds) belongs to rejoinder.toml; see resources/tuning.py.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rejoinder.errors import ConfigInvalid

# What child processes need, whoever starts them: litellm must not fetch its price list at import, and the
# MLflow server must not start its seven job consumers (both hang or linger on an offline machine).
CHILD_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "PRAW_CHECK_FOR_UPDATES": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Settings(BaseSettings):
    """Settings named ``REJOINDER_<FIELD>`` in the environment or in a file ``.env``."""

    model_config = SettingsConfigDict(
        env_prefix="REJOINDER_", env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True
    )

    home: Annotated[Path, NoDecode] = Field(
        Path(".rejoinder"), description="Folder of everything this installation keeps."
    )
    system_data: Path = Field(
        Path("/var/lib/rejoinder"),
        description="Where the embedded PostgreSQL lives when the home lies under a folder private to root.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 15 or newer with pgvector; without it an embedded one is started. "
        "Its user owns the tables.",
    )
    app_database_url: SecretStr | None = Field(
        None, description="The application's own login, where it cannot be created."
    )
    publisher_database_url: SecretStr | None = Field(
        None, description="The publisher's own login, where it cannot be created."
    )
    dagster_database_url: SecretStr | None = Field(
        None, description="Database of Dagster's storage; default <db>_dagster on the same server."
    )
    mlflow_database_url: SecretStr | None = Field(
        None, description="Database of MLflow's storage; default <db>_mlflow on the same server."
    )
    config: Path | None = Field(
        None, description="Path of rejoinder.toml; default ./rejoinder.toml if there."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR; logs go to stderr.")

    @property
    def home_dir(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings once per process.

    Raises:
        ConfigInvalid: a value does not parse; the message names the variable, never its value.
    """
    from pydantic import ValidationError

    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(f"REJOINDER_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigInvalid(f"The environment is wrong. {names}") from None


def use_home(home: Path) -> Settings:
    """Make this process and its children use another home; returns the settings then in force."""
    os.environ["REJOINDER_HOME"] = str(home.expanduser().resolve())  # noqa: TID251
    load_settings.cache_clear()
    return load_settings()


def export_for_children(extra: dict[str, str] | None = None) -> None:
    """Put into the environment what child processes and heavy libraries need."""
    for name, value in CHILD_ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # noqa: TID251
    settings = load_settings()
    os.environ["REJOINDER_HOME"] = str(settings.home_dir)  # noqa: TID251
    os.environ.update(extra or {})  # noqa: TID251


def child_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment for a child process that is started with its own."""
    export_for_children()
    return {**os.environ, **(extra or {})}  # noqa: TID251


def in_continuous_integration() -> bool:
    """Whether a continuous-integration machine runs this."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}  # noqa: TID251
