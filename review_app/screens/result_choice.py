"""What a person chooses on the page Results: the period, whose decisions, the channel, what is told apart."""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

import polars as pl
import streamlit as st

from rejoinder.engagement.windows import WINDOWS_S
from resources.warehouse import PERIODS
from review_app.screens.result_rows import DAY_S, HOUR_S, Split, View, Who, kinds_of

WHO: Mapping[Who, str] = {
    "people": "people",
    "rehearsal": "people, in rehearsal",
    "simulated": "simulated reviewer",
}


def choose_view(marts: Mapping[str, pl.DataFrame], as_of: datetime) -> View:
    """What the person wants to see."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="results_choice"):
        days = st.segmented_control(
            "Period",
            PERIODS,
            default=30,
            format_func=lambda n: f"{n} days" if n else "All",
            key="results_days",
            required=True,
            persist_state="session",
        )
        who = _choose_who(kinds_of(marts["funnel"], marts["approval"]))
        channel = _choose_channel(marts["funnel"], is_sandbox=who != "people")
    return View(30 if days is None else days, channel, who, as_of.date())


def _choose_who(kinds: list[Who]) -> Who:
    """Whose decisions: asked only where there are others than people's on real channels."""
    if kinds == ["people"]:
        return "people"
    chosen: Who | None = st.segmented_control(
        "Decisions of",
        kinds,
        default=kinds[0],
        format_func=lambda kind: WHO[kind],
        key="results_reviewer",
        required=True,
        persist_state="session",
    )
    return chosen if chosen in kinds else kinds[0]


def _choose_channel(funnel: pl.DataFrame, *, is_sandbox: bool) -> str | None:
    channels = sorted(funnel.filter(pl.col("is_sandbox") == is_sandbox)["channel"].unique())
    chosen = st.selectbox(
        "Channel",
        [None, *channels],
        format_func=lambda name: name or "All channels",
        key=f"results_channel_{'rehearsal' if is_sandbox else 'real'}",
        width=220,
        persist_state="session",
    )
    return chosen if chosen in channels else None


def choose_split(key: str) -> Split:
    """By what a table's rows are told apart."""
    chosen: Split | None = st.segmented_control(
        "By",
        get_args(Split),
        default="strategy",
        key=f"results_by_{key}",
        required=True,
        persist_state="session",
    )
    return chosen or "strategy"


def choose_window() -> int:
    """At which age, in seconds, replies are looked at."""
    chosen = st.segmented_control(
        "Age of the reply",
        WINDOWS_S,
        default=WINDOWS_S[0],
        format_func=lambda s: f"{s // HOUR_S} h" if s <= DAY_S else f"{s // DAY_S} d",
        key="results_window",
        required=True,
        persist_state="session",
    )
    return chosen or WINDOWS_S[0]
