"""Rows of the page Results: what a mart says, for one period, channel and kind of reviewer, in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

Who = Literal["people", "rehearsal", "simulated"]
Split = Literal["strategy", "prompt", "channel"]
Row = dict[str, Any]
STEPS = {
    "heard_to_drafted": "Heard to drafted",
    "drafted_to_approved": "Drafted to approved",
    "approved_to_due": "Wait that a person chose",
    "due_to_sent": "Due to sent",
    "heard_to_sent": "Heard to sent, waits included",
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
MONEY = ("day", "kind", "cost_usd")
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: days back (0: all), a channel or None for all, what came of whose decisions.

    People decide on real channels and, in a rehearsal, on those of the sandbox; the simulated reviewer on those alone.
    """

    period_days: int
    channel: str | None
    who: Who
    today: date

    @property
    def is_sandbox(self) -> bool:
        """Whether the channels that are shown are rehearsals."""
        return self.who != "people"

    def of(self, mart: pl.DataFrame) -> list[Row]:
        """Rows of a mart that has periods."""
        same_channel = pl.col("channel").eq_missing(pl.lit(self.channel, dtype=pl.String))
        return self._of_period(mart).filter(same_channel).to_dicts()

    def by(self, mart: pl.DataFrame, split: Split) -> list[Row]:
        """Rows of a mart by strategy, by prompt or by channel, with the name of each."""
        if split != "channel":
            return [row for row in self.of(mart) if row["split"] == split]
        rows = self._of_period(mart).filter(pl.col("split") == "all", pl.col("channel").is_not_null())
        chosen = rows if self.channel is None else rows.filter(pl.col("channel") == self.channel)
        return chosen.with_columns(name=pl.col("channel")).to_dicts()

    def _of_period(self, mart: pl.DataFrame) -> pl.DataFrame:
        return self._of_whom(mart.filter(pl.col("period_days") == self.period_days))

    def _of_whom(self, mart: pl.DataFrame) -> pl.DataFrame:
        kept = mart.filter(pl.col("is_sandbox") == self.is_sandbox)
        if "is_simulated" not in mart.columns:
            return kept
        return kept.filter(pl.col("is_simulated") == (self.who == "simulated"))

    def by_day(self, mart: pl.DataFrame) -> pl.DataFrame:
        """Rows of a mart that has days."""
        kept = self._of_whom(mart)
        if self.period_days:
            kept = kept.filter(pl.col("day") > self.today - timedelta(days=self.period_days))
        return kept if self.channel is None else kept.filter(pl.col("channel") == self.channel)


def kinds_of(funnel: pl.DataFrame, approval: pl.DataFrame) -> list[Who]:
    """Whose decisions there are to show, those that have any first; people where there is nothing at all."""
    decided = approval.select("is_simulated", "is_sandbox").unique().rows()
    heard = set(funnel["is_sandbox"].unique())
    found: list[tuple[bool, Who]] = [
        ((False, False) in decided, "people"),
        ((False, True) in decided, "rehearsal"),
        ((True, True) in decided, "simulated"),
    ]
    there = [who for has_any, who in found if has_any]
    if False in heard and "people" not in there:
        there.append("people")
    if True in heard and not {"rehearsal", "simulated"} & set(there):
        there.append("rehearsal")
    return there or ["people"]


def funnel_rows(funnel: pl.DataFrame) -> list[Row]:
    """Posts by stage and status, in the order of the stages."""
    place = ["stage_order", "stage", "status"]
    return funnel.group_by(place).agg(pl.col("posts").sum()).sort(place).to_dicts()


def approval_rows(rows: Sequence[Row]) -> list[Row]:
    """Approval rates with their intervals."""
    return [
        {
            "name": row["name"],
            "decided": row["decided"],
            "share approved": _share_within(row["approval_rate"], row["rate_low"], row["rate_high"]),
            "approved": row["approved"],
            "share edited": _share_within(row["edit_share"], row["edit_low"], row["edit_high"]),
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
            "impressions": mean(row, "impressions", of_n=row["impressions_n"]),
            "reward": mean(row, "reward", of_n=row["reward_n"]),
            "late": row["late"],
            "deleted": row["deleted"],
        }
        for row in sorted(rows, key=lambda row: -row["n"])
        if row["window_s"] == window_s
    ]


def link_rows(links: pl.DataFrame, split: Split) -> list[Row]:
    """What links in replies cost and brought, by strategy, prompt or channel, the most visited first."""
    column = "prompt_version" if split == "prompt" else split
    sums = pl.col(
        "replies", "link_cost_usd", "tracked", "visits", "bot_visits", "conversions", "value_usd"
    ).sum()
    rows = (
        links.group_by(column).agg(sums).sort(["visits", "replies", column], descending=[True, True, False])
    )
    return [
        {
            "name": row[column],
            "replies with a link": row["replies"],
            "cost more": dollars(row["link_cost_usd"]),
            "that count visits": row["tracked"],
            "visits": row["visits"],
            "conversions": row["conversions"],
            "worth": dollars(row["value_usd"]),
            "visits of programs": row["bot_visits"],
        }
        for row in rows.to_dicts()
    ]


def fault_rows(faults: pl.DataFrame) -> list[Row]:
    """What did not go straight, by what and why, the most frequent first."""
    sums = faults.group_by("what", "reason").agg(pl.col("n").sum())
    return [
        {"what": FAULTS.get(what, what), "reason": reason.replace("_", " ") or "-", "times": n}
        for what, reason, n in sums.sort(["n", "what", "reason"], descending=[True, False, False]).rows()
    ]


def spend_rows(spend: pl.DataFrame, view: View) -> list[Row]:
    """US dollars by day and kind; of one channel what its platform charged, since models are shared."""
    platforms = view.by_day(spend.filter(pl.col("kind") != "model").with_columns(channel=pl.col("name")))
    everything = replace(view, channel=None, who="people")
    models = (
        everything.by_day(spend.filter(pl.col("kind") == "model")) if view.channel is None else spend.clear()
    )
    rows = pl.concat([models.select(MONEY), platforms.select(MONEY)])
    kinds = {"model": "models", "read": "reading", "publish": "publishing"}
    return [
        {"day": day, "for": kinds.get(kind, kind), "usd": usd}
        for day, kind, usd in rows.group_by("day", "kind")
        .agg(pl.col("cost_usd").sum())
        .sort("day", "kind")
        .rows()
    ]


def mean(row: Row, of: str, of_n: int | None = None) -> str:
    """A mean with its interval, where there is one, and with its own n where that is not the row's.

    >>> mean({"n": 3, "likes_mean": 4.0, "likes_low": 1.5, "likes_high": 6.5}, "likes")
    '4.00 (1.50 to 6.50)'
    >>> mean({"n": 1, "likes_mean": 4.0, "likes_low": None, "likes_high": None}, "likes")
    '4.00'
    >>> mean({"n": 3, "reward_mean": 0.5, "reward_low": 0.1, "reward_high": 0.9}, "reward", of_n=2)
    '0.50 (0.10 to 0.90), n 2'
    """
    value, low, high = (row[f"{of}_{end}"] for end in ("mean", "low", "high"))
    if value is None:
        return "-"
    counted = "" if of_n is None or of_n == row["n"] else f", n {of_n}"
    return (f"{value:.2f}" if low is None else f"{value:.2f} ({low:.2f} to {high:.2f})") + counted


def dollars(amount: float | None) -> str:
    """US dollars, to the tenth of a cent where it is less than one dollar.

    >>> dollars(12.5), dollars(0.185), dollars(0), dollars(None)
    ('$12.50', '$0.185', '$0.00', '-')
    """
    if amount is None:
        return "-"
    return f"${amount:,.3f}" if 0 < amount < 1 else f"${amount:,.2f}"


def _share_within(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.0%} ({low:.0%} to {high:.0%})"


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
