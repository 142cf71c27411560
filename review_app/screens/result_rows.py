"""Rows of the page Results: what a mart says, for one period, channel and kind of reviewer, in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

Split = Literal["strategy", "prompt", "channel"]
Row = dict[str, Any]
STEPS = {
    "heard_to_drafted": "Heard to drafted",
    "drafted_to_approved": "Drafted to approved",
    "approved_to_sent": "Approved to sent",
    "heard_to_sent": "Heard to sent",
}
FAULTS = {
    "refused": "Refused by the platform",
    "unknown": "Nobody saw the outcome",
    "found": "Found by a read-back or a person",
    "sent_again": "Not there: sent again",
    "tried_again": "Not taken: tried again",
    "cancelled": "Taken back",
    "handoff": "Handed to a person",
    "abandoned": "Given up",
}
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: days back (0: all), a channel or None for all, decisions of whom."""

    period_days: int
    channel: str | None
    is_simulated: bool
    today: date

    def has_day(self, day: date) -> bool:
        """Whether a day lies in the period."""
        return not self.period_days or day > self.today - timedelta(days=self.period_days)

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Rows of a mart that has periods."""
        return [
            row
            for row in rows
            if row["period_days"] == self.period_days
            and row["channel"] == self.channel
            and row["is_simulated"] == self.is_simulated
        ]

    def by(self, rows: Sequence[Row], split: Split) -> list[Row]:
        """Rows of a mart by strategy, by prompt or by channel, with the name of each."""
        if split != "channel":
            return [row for row in self.of(rows) if row["split"] == split]
        return [
            {**row, "name": row["channel"]}
            for row in rows
            if row["split"] == "all"
            and row["channel"] is not None
            and self.channel in (None, row["channel"])
            and (row["period_days"], row["is_simulated"]) == (self.period_days, self.is_simulated)
        ]

    def by_day(self, rows: Sequence[Row]) -> list[Row]:
        """Rows of a mart that has days."""
        return [r for r in rows if self.has_day(r["day"]) and self.channel in (None, r.get("channel"))]


def funnel_rows(rows: Sequence[Row]) -> list[Row]:
    """Posts by stage and status."""
    sums: dict[tuple[int, str, str], int] = {}
    for row in rows:
        key = (row["stage_order"], row["stage"], row["status"])
        sums[key] = sums.get(key, 0) + row["posts"]
    return [
        {"order": o, "stage": stage, "status": s, "posts": n} for (o, stage, s), n in sorted(sums.items())
    ]


def approval_rows(rows: Sequence[Row]) -> list[Row]:
    """Approval rates with their intervals."""
    return [
        {
            "name": row["name"],
            "decided": row["decided"],
            "approved": f"{row['approval_rate']:.0%}",
            "95 % interval": f"{row['rate_low']:.0%} to {row['rate_high']:.0%}",
            "edited": share(row["edit_share"]),
            "sent back": row["sent_back"],
            "rejected": row["rejected"],
            "decided after (p50)": duration(row["decide_p50_s"]),
        }
        for row in sorted(rows, key=lambda row: -row["decided"])
    ]


def latency_rows(rows: Sequence[Row]) -> list[Row]:
    """Seconds of each step."""
    return [
        {
            "step": STEPS.get(row["step"], row["step"]),
            "replies": row["n"],
            "half within": duration(row["p50_s"]),
            "95 % within": duration(row["p95_s"]),
        }
        for row in rows
    ]


def engagement_rows(rows: Sequence[Row], window_s: int) -> list[Row]:
    """Means per reply at one age."""
    return [
        {
            "name": row["name"],
            "replies (n)": row["n"],
            "likes": mean(row, "likes"),
            "answers": mean(row, "replies"),
            "reposts": mean(row, "reposts"),
            "reward": mean(row, "reward"),
            "late": row["late"],
            "deleted": row["deleted"],
        }
        for row in sorted(rows, key=lambda row: -row["n"])
        if row["window_s"] == window_s
    ]


def fault_rows(rows: Sequence[Row]) -> list[Row]:
    """What did not go straight, by what and why, the most frequent first."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        sums[row["what"], row["reason"]] = sums.get((row["what"], row["reason"]), 0) + row["n"]
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        {"what": FAULTS.get(what, what), "reason": reason.replace("_", " "), "times": n}
        for (what, reason), n in ordered
    ]


def spend_rows(rows: Sequence[Row], view: View) -> list[Row]:
    """US dollars by day and kind; of one channel what its platform charged, since models are shared."""
    kinds = {"model": "models", "read": "reading", "publish": "publishing"}
    return [
        {"day": row["day"], "for": kinds.get(row["kind"], row["kind"]), "usd": row["cost_usd"] or 0.0}
        for row in rows
        if view.has_day(row["day"])
        and (view.channel is None or (row["kind"] != "model" and row["name"] == view.channel))
    ]


def mean(row: Row, of: str) -> str:
    """A mean with its interval, where there is one.

    >>> mean({"likes_mean": 4.0, "likes_low": 1.5, "likes_high": 6.5}, "likes")
    '4.00 (1.50 to 6.50)'
    >>> mean({"likes_mean": 4.0, "likes_low": None, "likes_high": None}, "likes")
    '4.00'
    """
    value, low, high = (row[f"{of}_{end}"] for end in ("mean", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def share(value: float | None) -> str:
    """A share in per cent; a dash where there is none."""
    return "-" if value is None else f"{value:.0%}"


def duration(seconds: float | None) -> str:
    """A time span in its largest sensible unit.

    >>> duration(42), duration(600), duration(9000), duration(400000), duration(None)
    ('42 s', '10 min', '2.5 h', '4.6 d', '-')
    """
    if seconds is None:
        return "-"
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h" if seconds < 2 * DAY_S else f"{seconds / DAY_S:.1f} d"
