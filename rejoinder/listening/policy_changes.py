"""Changing a channel's policy: which fields, how a person writes them, and what a platform does not allow.

What belongs here: the pure part of `rejoinder policy set` and `rejoinder policy show`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from rejoinder.errors import ConfigInvalid, NotAllowed
from rejoinder.listening.calendar import EXAMPLE, WeeklySlot, read_slots, write_slots
from rejoinder.listening.local_time import zone_named
from rejoinder.listening.policy import ChannelPolicy, Links, default_policy
from rejoinder.listening.quiet_hours import QuietHours, read_quiet_hours

NONE = "none"
# What stands in a policy but is not a person's to set.
_FIXED = frozenset({"name", "sources"})


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of a policy, for people: its value with its unit, and the shipped one where it differs."""

    key: str
    value: str
    shipped: str | None


def change(policy: ChannelPolicy, given: Mapping[str, str]) -> ChannelPolicy:
    """A policy with other values.

    Args:
        policy: as it is.
        given: what to set, as a person writes it: ``none`` for no value, ``true`` or ``false``, a number, a text,
            or ``22:00-07:00 Europe/Berlin`` for quiet hours.

    Raises:
        ConfigInvalid: no such key, or no such value.

    >>> change(default_policy("x/self_serve"), {"author_window_s": "3600"}).author_window_s
    3600
    """
    values = {key: _read(policy, key, text.strip()) for key, text in given.items()}
    return replace(policy, **values)


def _read(policy: ChannelPolicy, key: str, text: str) -> Any:
    if key not in KEYS:
        raise ConfigInvalid(f"A policy has no key {key!r}; there are {', '.join(KEYS)}.")
    try:
        return READERS[key](text)
    except (ValueError, KeyError):
        raise ConfigInvalid(f"{key} cannot be {text!r}: {_WANTED[READERS[key]]}.") from None


def _flag(text: str) -> bool:
    return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]


def _mode(text: str) -> str:
    if text not in ("api", "summoned", "handoff"):
        raise ValueError(text)
    return text


def _links(text: str) -> str:
    if text not in get_args(Links):
        raise ValueError(text)
    return text


def _words(text: str) -> str | None:
    return None if text.lower() in ("", NONE) else text


def _number(text: str) -> float:
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _usd(text: str) -> float:
    return _number(text)


def _cap_usd(text: str) -> float | None:
    return None if text.lower() == NONE else _usd(text)


def _count_or_none(text: str) -> int | None:
    return None if text.lower() == NONE else int(text)


def _quiet(text: str) -> QuietHours | None:
    return None if text.lower() == NONE else read_quiet_hours(text)


def _slots(text: str) -> tuple[WeeklySlot, ...]:
    return () if text.lower() in ("", NONE) else read_slots(text)


def _zone(text: str) -> str:
    return zone_named(text).key


def _missed(text: str) -> str:
    if text not in ("send", "review"):
        raise ValueError(text)
    return text


READERS: dict[str, Callable[[str], Any]] = {
    "reply_mode": _mode,
    "may_train": _flag,
    "may_profile": _flag,
    "allow_links": _flag,
    "links": _links,
    "link_worth_usd": _usd,
    "tracked_links": _flag,
    "label": _words,
    "operator": _words,
    "spend_cap_usd_per_day": _cap_usd,
    "spend_cap_usd_per_month": _cap_usd,
    "replies_per_conversation": _count_or_none,
    "quiet_hours": _quiet,
    "retention_s": int,
    "author_window_s": int,
    "replies_per_author_window": int,
    "recheck_s": int,
    "thread_posts": int,
    "min_interval_s": _number,
    "jitter_share": _number,
    "slots": _slots,
    "zone": _zone,
    "missed_schedule": _missed,
    "missed_after_s": int,
    **{field.name: _usd for field in fields(ChannelPolicy) if field.name.startswith("price_")},
}
KEYS: tuple[str, ...] = tuple(field.name for field in fields(ChannelPolicy) if field.name not in _FIXED)
_WANTED: dict[Callable[[str], Any], str] = {
    _mode: "it is api, summoned or handoff",
    _flag: "it is true or false",
    _links: "it is never, when_free, when_worth or always",
    _words: "it is a text, or none",
    _number: "it is a number",
    _usd: "it is an amount in USD",
    _cap_usd: "it is an amount in USD, or none",
    _count_or_none: "it is a whole number, or none",
    _quiet: "write quiet hours as 22:00-07:00 Europe/Berlin, or none",
    _slots: f"{EXAMPLE}, or none",
    _zone: "it is a name of the IANA database, such as Europe/Berlin",
    _missed: "it is send or review",
    int: "it is a whole number",
}


def loosened(shipped: ChannelPolicy, wanted: ChannelPolicy) -> list[str]:
    """What a policy allows that its platform, as shipped, forbids: a sentence each.

    The sandbox's policies forbid nothing: what is rehearsed there is the operator's own.
    """
    if shipped.name.startswith("sandbox/"):
        return []
    found = []
    if wanted.may_train and not shipped.may_train:
        found.append("may_train: content of this platform may not train models")
    if wanted.may_profile and not shipped.may_profile:
        found.append("may_profile: its authors may not be profiled")
    if _MODES.index(wanted.reply_mode) > _MODES.index(shipped.reply_mode):
        found.append(
            f"reply_mode={wanted.reply_mode}: this tier replies by API in the mode {shipped.reply_mode} at most"
        )
    if wanted.retention_s > shipped.retention_s:
        found.append(f"retention_s: what was deleted goes within {shipped.retention_s} seconds")
    if shipped.label and wanted.label != shipped.label:
        found.append(f"label: the account has to carry the label {shipped.label}")
    if shipped.operator and wanted.operator is None:
        found.append("operator: the account has to name its operator")
    return found


_MODES = ("handoff", "summoned", "api")


def refuse_loosening(policy: ChannelPolicy, wanted: ChannelPolicy, permission: str) -> list[str]:
    """What a change newly allows against the shipped rules, if a permission is named; nothing else may pass.

    Raises:
        NotAllowed: it allows what the platform forbids, and no permission is named.
    """
    shipped = shipped_of(policy)
    known = loosened(shipped, policy)
    found = [sentence for sentence in loosened(shipped, wanted) if sentence not in known]
    if found and not permission.strip():
        raise NotAllowed(
            f"The platform does not allow it: {'; '.join(found)}. "
            'If you have its permission, say which: --i-have-permission "why".'
        )
    return found


def shipped_of(policy: ChannelPolicy) -> ChannelPolicy:
    """The policy as it is shipped under the same name.

    Raises:
        ConfigInvalid: none of that name is shipped.
    """
    return default_policy(policy.name)


def rows(policy: ChannelPolicy) -> Sequence[Row]:
    """Every rule of a policy, with what differs from the shipped one.

    >>> [(row.value, row.shipped) for row in rows(default_policy("x/self_serve")) if row.key == "retention_s"]
    [('24 hours', None)]
    """
    shipped = shipped_of(policy)
    return [
        Row(key, shown(key, mine), shown(key, theirs) if mine != theirs else None)
        for key in KEYS
        for mine, theirs in [(getattr(policy, key), getattr(shipped, key))]
    ]


def shown(key: str, value: Any) -> str:
    """A value with its unit, as a person reads it.

    >>> shown("author_window_s", 86400), shown("price_per_read_usd", 0.005), shown("label", None)
    ('24 hours', '0.005 USD', 'none')
    """
    if value is None:
        return NONE
    if key == "slots":
        return write_slots(value) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_s"):
        return f"{value / 3600:g} hours" if value % 900 == 0 and value else f"{value} seconds"
    if "_usd" in key:
        return f"{value:g} USD"
    return str(value)
