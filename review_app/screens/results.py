"""Results: what became of posts and replies, what they took and were worth. Reads the marts and nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import streamlit as st

from resources.settings import load_settings
from resources.warehouse import Moment, read_mart, stale_since, written_moment
from review_app.desk import database
from review_app.escaped import html, note, show
from review_app.screens.result_choice import choose_split, choose_view, choose_window
from review_app.screens.result_rows import (
    Row,
    View,
    approval_rows,
    dollars,
    duration,
    engagement_rows,
    fault_rows,
    funnel_rows,
    latency_rows,
    link_rows,
    share,
    spend_rows,
)
from review_app.texts import STAGES, when, words

Marts = Mapping[str, pl.DataFrame]
SHOWN = ("funnel", "approval", "latency", "engagement", "links", "spend", "faults")
SELECTION = (
    "Only replies that were approved and sent are seen here. A strategy whose weak drafts are rejected"
    " looks better than it is: compare the approval rates too."
)
# The question whether the marts are behind goes to PostgreSQL, so it is not asked at each click.
ASKED_AGAIN_AFTER_S = 30


def page() -> None:
    """Draw the page."""
    home = load_settings().home_dir
    written = written_moment(home)
    marts = _read(str(home), written.marker, written.as_of.isoformat()) if written else {}
    if written is None or all(mart.is_empty() for mart in marts.values()):
        _show_empty(written)
        return
    show(
        html('<div class="rj-title">Results <span class="rj-meta">as of {}</span></div>', when(written.as_of))
    )
    _warn_if_stale(written)
    view = choose_view(marts, written.as_of)
    _show_funnel(view.by_day(marts["funnel"]))
    _show_approval(view, marts["approval"])
    _show_engagement(view, marts["engagement"])
    _show_links(view, marts["links"])
    _show_course(view, marts)
    _show_spend(spend_rows(marts["spend"], view))


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(home: str, marker: str, as_of: str) -> Marts:
    """The marts of one moment; nobody changes a frame, so all sessions share them and a click copies nothing."""
    return {name: read_mart(Path(home), name) for name in SHOWN}


def _show_empty(written: Moment | None) -> None:
    if written:
        why = html(
            "As of {} no post was heard and nothing was spent. While <code>rejoinder up</code> runs, what a channel"
            " hears is here within five minutes; by hand: <code>rejoinder marts refresh</code>.",
            when(written.as_of),
        )
    else:
        why = html(
            "These figures were not written yet, or by another version of Rejoinder: that does not mean that nothing"
            " has happened. <code>rejoinder up</code> writes them within minutes,"
            " <code>rejoinder marts refresh</code> at once."
        )
    show(
        html(
            '<div class="rj-empty"><b>No results yet.</b>{}<br>Here will stand how far posts come, how reviewers'
            " decide, how long it takes, what it costs and what replies are worth.</div>",
            why,
        )
    )


def _warn_if_stale(written: Moment) -> None:
    stale = _stale(str(load_settings().home_dir), written.as_of.isoformat())
    if stale:
        note(
            f"What changed since {when(stale)} is missing. Dagster writes these figures while rejoinder up runs;"
            " by hand: rejoinder marts refresh.",
            "These figures are behind",
            "warn",
        )


@st.cache_data(max_entries=4, ttl=ASKED_AGAIN_AFTER_S, show_spinner=False)
def _stale(home: str, as_of: str) -> datetime | None:
    return stale_since(database(), Path(home), datetime.now(UTC))


def _heading(title: str, explanation: str) -> None:
    show(html('<div class="rj-title">{}</div><div class="rj-meta">{}</div>', title, explanation))


def _say(nothing: str) -> None:
    show(html('<div class="rj-meta">{}</div>', nothing))


def _show_funnel(heard: pl.DataFrame) -> None:
    _heading("How far posts come", "Every post heard in the period stands once: the stage it has reached.")
    drawn = [
        {
            "stage": f"{row['stage_order'] + 1} {STAGES.get(row['stage'], row['stage'])}",
            "status": words(row["status"]),
            "posts": row["posts"],
        }
        for row in funnel_rows(heard)
    ]
    if drawn:
        st.bar_chart(drawn, x="stage", y="posts", color="status", horizontal=True, height=280)
    else:
        _say("Nothing was heard in this period.")


def _show_approval(view: View, mart: pl.DataFrame) -> None:
    _heading("How reviewers decide", "Shares come with Wilson's 95 % interval.")
    whole = [row for row in view.of(mart) if row["split"] == "all"]
    if not whole:
        _say("Nothing was decided in this period.")
        return
    (row,) = whole
    within = f" ({row['edit_low']:.0%} to {row['edit_high']:.0%})" if row["approved"] else ""
    figures = {
        "decided": row["decided"],
        f"approved ({row['rate_low']:.0%} to {row['rate_high']:.0%})": share(row["approval_rate"]),
        f"of them edited{within}": share(row["edit_share"]),
        "from draft to decision, half within": duration(row["decide_p50_s"]),
    }
    for column, (label, figure) in zip(st.columns(len(figures)), figures.items(), strict=True):
        with column:
            show(html('<span class="rj-number"><b>{}</b><span>{}</span></span>', figure, label))
    split = choose_split("approval")
    st.dataframe(approval_rows(view.by(mart, split)), hide_index=True, key="results_approval_table")


def _show_engagement(view: View, mart: pl.DataFrame) -> None:
    _heading(
        "What replies are worth",
        "Means per reply with Student's 95 % interval, of n replies. One reply has no interval, nor have equal values.",
    )
    note(SELECTION)
    if not [row for row in view.of(mart) if row["split"] == "all"]:
        _say("No reply of this choice was measured: the first count is taken an hour after it was sent.")
        return
    with st.container(horizontal=True, gap="medium"):
        split, window_s = choose_split("engagement"), choose_window()
    found = engagement_rows(view.by(mart, split), window_s)
    if found:
        st.dataframe(found, hide_index=True, key="results_engagement")
    else:
        _say("No reply of this period is so old yet.")


def _show_links(view: View, mart: pl.DataFrame) -> None:
    links = view.by_day(mart)
    cost, worth = (float(links[money].sum()) for money in ("link_cost_usd", "value_usd"))
    _heading(
        "What links bring",
        "What a link made a reply cost more than the same reply without one; visits of people, and what they then did"
        " as your site told us. Visits are counted where the channel's policy has tracked links.",
    )
    if links.is_empty():
        _say("No reply of this period has a link, and no link was followed.")
        return
    _say(f"In all {dollars(cost)} more for links; conversions worth {dollars(worth)}.")
    st.dataframe(link_rows(links, choose_split("links")), hide_index=True, key="results_links")


def _show_course(view: View, marts: Marts) -> None:
    """How replies went: how long each step took, and what did not go straight."""
    steps = latency_rows(view.of(marts["latency"]))
    left, right = st.columns(2, gap="medium")
    with left:
        _heading(
            "How long it took",
            "By the wall clock. A reply is due once approved, or at the time that a person chose.",
        )
        if steps:
            st.dataframe(steps, hide_index=True, key="results_latency")
        else:
            _say("No reply was approved in this period.")
    with right:
        _show_faults(fault_rows(view.by_day(marts["faults"])), has_replies=bool(steps))


def _show_faults(found: list[Row], *, has_replies: bool) -> None:
    _heading("What did not go straight", "Moves of publications, by what and why.")
    if found:
        st.dataframe(found, hide_index=True, key="results_faults")
    elif has_replies:
        _say("Every reply of this period went straight.")
    else:
        _say("No reply was on its way in this period.")


def _show_spend(rows: list[Row]) -> None:
    total = sum(row["usd"] for row in rows)
    _heading(
        f"What it cost: {dollars(total)}",
        "US dollars by day: models as recorded, of all channels together; platforms as metered.",
    )
    if total:
        st.bar_chart(rows, x="day", y="usd", color="for", height=220)
    else:
        _say("Nothing was charged in this period.")
