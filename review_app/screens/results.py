"""Results: what became of posts and replies, what they took and were worth. Reads the marts and nothing else."""

from datetime import UTC, datetime
from typing import Any, get_args

import streamlit as st

from rejoinder.engagement.windows import WINDOWS_S
from resources.settings import load_settings
from resources.warehouse import PERIODS, Moment, read_mart, stale_since, written_moment
from review_app.desk import database
from review_app.escaped import html, note, show
from review_app.screens.result_rows import (
    DAY_S,
    HOUR_S,
    Row,
    Split,
    View,
    approval_rows,
    duration,
    engagement_rows,
    fault_rows,
    funnel_rows,
    latency_rows,
    share,
    spend_rows,
)
from review_app.texts import STAGES, when, words

SELECTION = (
    "Only replies that were approved and sent are seen here. A strategy whose weak drafts are rejected"
    " looks better than it is: compare the approval rates too."
)


def page() -> None:
    """Draw the page."""
    home = load_settings().home_dir
    written = written_moment(home)
    marts = _read(str(home), written.marker if written else "", written.as_of if written else None)
    if written is None or not marts["funnel"]:
        _show_empty(written)
        return
    show(
        html('<div class="rj-title">Results <span class="rj-meta">as of {}</span></div>', when(written.as_of))
    )
    _warn_if_stale()
    view = _choose(marts, written)
    _show_funnel(view.by_day(marts["funnel"]))
    _show_approval(view, marts["approval"])
    _show_engagement(view, marts["engagement"])
    left, right = st.columns(2, gap="medium")
    with left:
        _show_table(
            "How long it took", "By the wall clock.", latency_rows(view.of(marts["latency"])), "latency"
        )
    with right:
        _show_faults(view, marts["faults"])
    _show_spend(spend_rows(marts["spend"], view))


@st.cache_data(max_entries=2, show_spinner=False)
def _read(home: str, marker: str, as_of: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """Every mart of one moment as rows; they are small."""
    from pathlib import Path

    names = ("funnel", "approval", "latency", "engagement", "spend", "faults")
    return {name: read_mart(Path(home), name).to_dicts() for name in names}


def _show_empty(written: Moment | None) -> None:
    if written:
        why = html(
            "As of {} nothing was heard. What a channel hears is here within minutes.", when(written.as_of)
        )
    else:
        why = html(
            "They are written while <code>rejoinder up</code> runs, or by <code>rejoinder marts refresh</code>."
        )
    show(
        html(
            '<div class="rj-empty"><b>No results yet.</b>{}<br>Here will stand how far posts come, how reviewers'
            " decide, how long it takes, what it costs and what replies are worth.</div>",
            why,
        )
    )


def _warn_if_stale() -> None:
    stale = stale_since(database(), load_settings().home_dir, datetime.now(UTC))
    if stale:
        note(
            f"What changed since {when(stale)} is missing. Dagster writes these figures while rejoinder up runs;"
            " by hand: rejoinder marts refresh.",
            "These figures are behind",
            "warn",
        )


def _choose(marts: dict[str, list[Row]], written: Moment) -> View:
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
        channels = sorted({row["channel"] for row in marts["funnel"]})
        channel = st.selectbox(
            "Channel",
            [None, *channels],
            format_func=lambda name: name or "All channels",
            key="results_channel",
            width=220,
            persist_state="session",
        )
        is_simulated = _choose_reviewer(marts["approval"])
    return View(30 if days is None else days, channel, is_simulated, written.as_of.date())


def _choose_reviewer(approval: list[Row]) -> bool:
    """Whose decisions: asked only where the simulated reviewer has decided something."""
    kinds = {row["is_simulated"] for row in approval}
    if True not in kinds:
        return False
    chosen = st.segmented_control(
        "Decisions of",
        ["people", "simulated reviewer"],
        default="people" if False in kinds else "simulated reviewer",
        key="results_reviewer",
        required=True,
        persist_state="session",
    )
    return chosen == "simulated reviewer"


def _heading(title: str, explanation: str) -> None:
    show(html('<div class="rj-title">{}</div><div class="rj-meta">{}</div>', title, explanation))


def _show_table(title: str, explanation: str, rows: list[Row], key: str) -> None:
    _heading(title, explanation)
    if rows:
        st.dataframe(rows, hide_index=True, key=f"results_{key}")
    else:
        show(html('<div class="rj-meta">Nothing in this period.</div>'))


def _show_funnel(rows: list[Row]) -> None:
    _heading("How far posts come", "Every post heard in the period stands once: the stage it has reached.")
    counted = funnel_rows(rows)
    if not counted:
        show(html('<div class="rj-meta">Nothing was heard in this period.</div>'))
        return
    drawn = [
        {
            "stage": f"{row['order'] + 1} {STAGES.get(row['stage'], row['stage'])}",
            "status": words(row["status"]),
            "posts": row["posts"],
        }
        for row in counted
    ]
    st.bar_chart(drawn, x="stage", y="posts", color="status", horizontal=True, height=280)


def _show_approval(view: View, rows: list[Row]) -> None:
    _heading("How reviewers decide", "Approved of all decided, with Wilson's 95 % interval.")
    whole = [row for row in view.of(rows) if row["split"] == "all"]
    if not whole:
        show(html('<div class="rj-meta">Nothing was decided in this period.</div>'))
        return
    (row,) = whole
    figures = {
        "decided": row["decided"],
        f"approved ({row['rate_low']:.0%} to {row['rate_high']:.0%})": share(row["approval_rate"]),
        "of them edited": share(row["edit_share"]),
        "from draft to decision, half within": duration(row["decide_p50_s"]),
    }
    for column, (label, figure) in zip(st.columns(len(figures)), figures.items(), strict=True):
        with column:
            show(html('<span class="rj-number"><b>{}</b><span>{}</span></span>', figure, label))
    st.dataframe(
        approval_rows(view.by(rows, _split("approval"))), hide_index=True, key="results_approval_table"
    )


def _split(key: str) -> Split:
    chosen: Split | None = st.segmented_control(
        "By",
        get_args(Split),
        default="strategy",
        key=f"results_by_{key}",
        required=True,
        persist_state="session",
    )
    return chosen or "strategy"


def _show_engagement(view: View, rows: list[Row]) -> None:
    _heading("What replies are worth", "Means per reply with Student's 95 % interval; n is how many count.")
    note(SELECTION)
    if not [row for row in view.of(rows) if row["split"] == "all"]:
        show(
            html(
                '<div class="rj-meta">No reply was measured yet: the first count is taken after an hour.</div>'
            )
        )
        return
    with st.container(horizontal=True, gap="medium"):
        split = _split("engagement")
        window_s = st.segmented_control(
            "Age of the reply",
            WINDOWS_S,
            default=WINDOWS_S[0],
            format_func=lambda s: f"{s // HOUR_S} h" if s <= DAY_S else f"{s // DAY_S} d",
            key="results_window",
            required=True,
            persist_state="session",
        )
    found = engagement_rows(view.by(rows, split), window_s or WINDOWS_S[0])
    if found:
        st.dataframe(found, hide_index=True, key="results_engagement")
    else:
        show(html('<div class="rj-meta">No reply of this period is so old yet.</div>'))


def _show_faults(view: View, rows: list[Row]) -> None:
    found = fault_rows(view.by_day(rows))
    _heading("What did not go straight", "Moves of publications, by what and why.")
    if found:
        st.dataframe(found, hide_index=True, key="results_faults")
    else:
        show(html('<div class="rj-meta">Every reply of this period went straight.</div>'))


def _show_spend(rows: list[Row]) -> None:
    total = sum(row["usd"] for row in rows)
    _heading(f"What it cost: ${total:,.2f}", "US dollars by day: models as recorded, platforms as metered.")
    if total:
        st.bar_chart(rows, x="day", y="usd", color="for", height=220)
