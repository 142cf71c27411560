"""What an operator may set about X: its caps, how far its search reaches, how its answers are spelled."""

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

from resources.sandbox.state import State

KEY = "x_settings"
HOSTS = ("api.twitter.com", "api.x.com")
HEADER_SETS = ("15min", "app_day", "user_day")
LIMIT_SHAPES = ("plain", "code_88", "problem")
NAMINGS = ("tweet", "post")
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults.

    Attributes:
        search_days: how far recent search, and counts, reach back.
        search_lag_s: age that a post must have before search finds it; about 30 on X.
        rule_delay_s: real seconds until a change of the rules counts for open streams; about 20 on X.
        posts_per_month: posts that may be read in a calendar month (UTC), each counted once a day.
        creates_per_day_app: new posts per 24 hours of the app.
        creates_per_day_user: new posts per 24 hours of the account.
        missing_headers: sets of rate-limit headers that are left out: 15min, app_day, user_day.
        problem_host: the host in the types of problems.
        limit_shape: the body of a 429: plain, code_88 or problem.
        naming: tweet or post, in the names of counts and of the edit history.
        is_enterprise: replies need no summons, and quoting is allowed.
    """

    search_days: float = 7.0
    search_lag_s: float = 0.0
    rule_delay_s: float = 0.0
    posts_per_month: int = 3_000_000
    creates_per_day_app: int = 10_000
    creates_per_day_user: int = 10_000
    missing_headers: tuple[str, ...] = ()
    problem_host: str = HOSTS[0]
    limit_shape: str = LIMIT_SHAPES[0]
    naming: str = NAMINGS[0]
    is_enterprise: bool = False


CHOICES = {"problem_host": HOSTS, "limit_shape": LIMIT_SHAPES, "naming": NAMINGS}
NAMES = tuple(one.name for one in fields(Settings))


def read_settings(state: State) -> Settings:
    """The settings that hold now."""
    return parse_settings(state.meta(KEY) or "{}")


@lru_cache(maxsize=8)
def parse_settings(stored: str) -> Settings:
    """Settings from their stored form; what is not stored has its default."""
    known = {name: value for name, value in json.loads(stored).items() if name in NAMES}
    if "missing_headers" in known:
        known["missing_headers"] = tuple(known["missing_headers"])
    return Settings(**known)


def change_settings(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    """Set some of them; null gives one its default back. All that hold then.

    Raises:
        ValueError: a name is unknown or a value cannot be used.
    """
    unknown = sorted(wanted.keys() - set(NAMES))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(NAMES)}")
    defaults = asdict(Settings())
    read = {
        name: defaults[name] if value is None else read_value(name, value) for name, value in wanted.items()
    }
    changed = replace(read_settings(state), **read)
    state.set_meta(KEY, json.dumps(asdict(changed)))
    return asdict(changed)


def read_value(name: str, value: Any) -> Any:
    """One value, checked."""
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}")
        return value
    if name == "missing_headers":
        if not isinstance(value, list) or not set(value) <= set(HEADER_SETS):
            raise ValueError(f"missing_headers must be a list of {', '.join(HEADER_SETS)}")
        return tuple(value)
    if name == "is_enterprise":
        if not isinstance(value, bool):
            raise ValueError("is_enterprise must be true or false")
        return value
    return read_number(name, value)


def read_number(name: str, value: Any) -> float:
    """A number, checked; whole where it counts something."""
    if isinstance(value, bool):
        raise ValueError(f"{name} must be a number")
    number = float(value) if name.endswith(("_s", "_days")) else int(value)
    most = MOST_DAYS if name.endswith("_days") else 1e12
    if not 0 <= number <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:.0f}")
    return number
