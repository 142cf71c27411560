"""The keeper of this process, by the settings."""

from functools import lru_cache

from resources.sealing.keeper import Keeper
from resources.sealing.key_environment import EnvironmentKeys
from resources.sealing.key_file import KeyFile
from resources.sealing.keys import KeySource
from resources.settings import Settings, load_settings


def this_keeper() -> Keeper:
    """The keeper by the settings of this process, which keeps what it read of its keys."""
    return keeper_of(load_settings())


@lru_cache(maxsize=4)
def keeper_of(settings: Settings) -> Keeper:
    """The keeper by settings; nothing is read or made before it is asked."""
    return Keeper(source_of(settings))


def source_of(settings: Settings) -> KeySource:
    """Where the settings say that keys are.

    Raises:
        ConfigInvalid: a setting of HashiCorp Vault is missing.
    """
    if settings.key_source == "vault":
        from resources.sealing.key_vault import open_vault

        return open_vault(settings)
    if settings.key_source == "environment":
        return EnvironmentKeys(settings.credential_keys)
    return KeyFile(settings.home_dir)
