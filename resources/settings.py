"""The environment: addresses and secrets. The only module that reads it.

Tuning (batches, time-outs, thresholds) belongs to rejoinder.toml; see resources/tuning.py.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
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


OTHER_HOME = "Choose a folder that can be written: set REJOINDER_HOME, or --home where a command has it."
URL_SHAPE = "write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
ESCAPES = "escape what stands in names and passwords, such as % as %25, @ as %40, / as %2F, a blank as %20"


def _readable_url(given: SecretStr) -> SecretStr:
    """The URL, if all that connect with it read the same from it; an error never quotes any part of it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = given.get_secret_value().partition("://")
    if scheme not in {"postgresql", "postgres"}:
        raise ValueError(URL_SHAPE)
    url = f"postgresql://{rest}"
    try:
        found, parsed = conninfo_to_dict(url), make_url(url)
    except (ProgrammingError, ArgumentError, ValueError):
        raise ValueError(f"it cannot be read; {URL_SHAPE} and {ESCAPES}") from None
    # An unescaped @ or / in a password makes its end a host or a database, which messages may name.
    if any("@" in str(found.get(part, "")) for part in ("host", "dbname")) or "@" in (parsed.database or ""):
        raise ValueError(f"it has one @ too many; {URL_SHAPE} and {ESCAPES}")
    return SecretStr(url)


DatabaseUrl = Annotated[SecretStr, AfterValidator(_readable_url)]


def _web_address(given: str) -> str:
    """An address of a server without a name or password in it, which logs could show."""
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError("write it as http://HOST:PORT or https://HOST, without a name or password")
    return given.rstrip("/")


PlatformUrl = Annotated[str, AfterValidator(_web_address)]


def _split(given: object) -> object:
    return (
        tuple(filter(None, (part.strip() for part in given.split(",")))) if isinstance(given, str) else given
    )


class Settings(BaseSettings):
    """Settings named ``REJOINDER_<FIELD>`` in the environment or in a file ``.env``."""

    model_config = SettingsConfigDict(
        env_prefix="REJOINDER_",
        env_file=".env",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    home: Annotated[Path, NoDecode] = Field(
        Path(".rejoinder"), description="Folder of everything this installation keeps."
    )
    system_data: Path = Field(
        Path("/var/lib/rejoinder"),
        description="Where the embedded PostgreSQL lives when the home lies under a folder private to root.",
    )
    database_url: DatabaseUrl | None = Field(
        None,
        description="PostgreSQL 15 or newer with pgvector; without it an embedded one is started. "
        "Its user owns the tables.",
    )
    app_database_url: DatabaseUrl | None = Field(
        None, description="The application's own login, where it cannot be created."
    )
    publisher_database_url: DatabaseUrl | None = Field(
        None, description="The publisher's own login, where it cannot be created."
    )
    dagster_database_url: DatabaseUrl | None = Field(
        None, description="Database of Dagster's storage; default <db>_dagster on the same server."
    )
    mlflow_database_url: DatabaseUrl | None = Field(
        None, description="Database of MLflow's storage; default <db>_mlflow on the same server."
    )
    object_store: str | None = Field(
        None,
        description="Where raw input is kept: file:///FOLDER or s3://BUCKET/PREFIX; default <home>/objects.",
    )
    fetch_allow: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="Hosts and networks of one's own that sources may be fetched from, divided by commas."
    )
    public_url: PlatformUrl | None = Field(
        None,
        description="Where everybody reaches the API's links, such as https://go.example: replies of channels with "
        "`tracked_links` then link there, and visits are counted.",
    )
    x_base_url: PlatformUrl | None = Field(
        None,
        description="Address that stands in for X, such as another emulator's; a channel's own goes first.",
    )
    reddit_base_url: PlatformUrl | None = Field(
        None, description="Address that stands in for Reddit and its tokens; a channel's own goes first."
    )
    credential_key_source: Literal["file", "environment", "vault"] | None = Field(
        None,
        description="Where the keys are that channels' credentials are sealed with: file (in the home), environment "
        "or vault; default environment where REJOINDER_CREDENTIAL_KEYS is set, else file.",
    )
    credential_keys: SecretStr | None = Field(
        None,
        description="Keys of credentials: read:KEY and write:KEY, divided by commas, the newest of each kind first.",
    )
    vault_url: PlatformUrl | None = Field(
        None, description="Address of HashiCorp Vault, for keys kept there."
    )
    vault_token: SecretStr | None = Field(None, description="Token for Vault.")
    vault_token_file: Path | None = Field(
        None, description="File in which an agent keeps a fresh token for Vault."
    )
    vault_mount: str = Field("secret", description="Name of Vault's KV engine (version 2).")
    vault_path: str = Field(
        "rejoinder/credential-keys", description="Path in it; /read and /write are added."
    )
    vault_namespace: str | None = Field(None, description="Namespace in Vault Enterprise.")
    config: Path | None = Field(
        None, description="Path of rejoinder.toml; default ./rejoinder.toml if there."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR; logs go to stderr."
    )

    def platform_url(self, platform: str) -> str | None:
        """The address that stands in for a platform; None for the real one, and for platforms of other packages."""
        return {"x": self.x_base_url, "reddit": self.reddit_base_url}.get(platform)

    @property
    def key_source(self) -> Literal["file", "environment", "vault"]:
        """Where the keys of credentials are."""
        return self.credential_key_source or ("environment" if self.credential_keys else "file")

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
        wrong = "; ".join(
            f"REJOINDER_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise ConfigInvalid(f"The environment, or the file .env, is wrong. {wrong}.") from None


def model_key(name: str) -> SecretStr | None:
    """The key ``REJOINDER_KEY_<NAME>`` of the environment or of the file .env, None where there is none.

    Args:
        name: of an endpoint or a key, as in rejoinder.toml; a dash counts as an underscore.
    """
    from dotenv import dotenv_values

    variable = key_variable(name)
    given = os.environ.get(variable) or dotenv_values(".env").get(variable) or ""  # noqa: TID251
    # Files and clipboards add a line break, which no header can carry.
    return SecretStr(given.strip()) if given.strip() else None


def key_variable(name: str) -> str:
    """The variable of a key.

    >>> key_variable("kimi-k2")
    'REJOINDER_KEY_KIMI_K2'
    """
    return "REJOINDER_KEY_" + name.upper().replace("-", "_")


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
