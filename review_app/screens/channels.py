"""Channels: what each part of a channel is doing, since when and why, what it spends, and the kill switch."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import streamlit as st

from rejoinder.listening.spending import WARN_AT, money
from resources.publishing.outlook import outlook_now
from resources.publishing.switch import pauses_in_force
from resources.spending.report import ActionSpend, ChannelSpend, SpanSpend, live_states, read_spend
from resources.store.channel_states import ChannelState
from resources.store.refused_rules import RuleAside, rules_aside
from resources.store.schedules import list_planned
from review_app.desk import reading
from review_app.escaped import Markup, chip, html, join, show
from review_app.screens.pace import show_pace, show_switch
from review_app.texts import utc_now, when, words

TONES = {
    **dict.fromkeys(("streaming", "polling", "ok"), "good"),
    **dict.fromkeys(("catching_up", "waiting", "warned"), "warn"),
    **dict.fromkeys(("stopped", "refused"), "bad"),
}
PARTS = {
    "listen": "Listening",
    "publish": "Publishing",
    "spend": "Spending",
    "compliance": "Deletions and edits",
}


def page() -> None:
    """Draw the page."""
    now = utc_now()
    with reading() as tx:
        spends = read_spend(tx, now)
        states = live_states(tx, now)
        outlooks = {one.channel.id: one for one in outlook_now(tx)}
        pauses = {one.channel_id: one for one in pauses_in_force(tx)}
        planned = list_planned(tx)
        aside = rules_aside(tx)
    if not spends:
        show(
            html(
                '<div class="rj-empty"><b>No channel yet.</b>A channel is an account on a platform:'
                " <code>rejoinder channel add</code> on this machine makes one.</div>"
            )
        )
        return
    show(html('<div class="rj-title">Channels <span class="rj-meta">{}</span></div>', len(spends)))
    show_switch(pauses.get(None))
    for spend in spends:
        with st.container(border=True, key=f"channel_{spend.channel_id}", gap="xsmall"):
            show(html('<span class="rj-who">{}</span>', spend.channel))
            show(_parts([state for state in states if state.channel_id == spend.channel_id]))
            for rule in aside:
                if rule.channel_id == spend.channel_id:
                    show(_aside(rule))
            show(_money(spend))
            if one := outlooks.get(spend.channel_id):
                own = [each for each in planned if each.channel == spend.channel]
                show_pace(one, pauses.get(spend.channel_id), own, now)


def _parts(states: Sequence[ChannelState]) -> Markup:
    if not states:
        return html('<div class="rj-meta">Nothing has run on this channel yet.</div>')
    return html('<div class="rj-parts">{}</div>', join([_part(state) for state in states]))


def _aside(rule: RuleAside) -> Markup:
    """A listening rule that the platform does not take."""
    return html(
        '<div class="rj-meta">Not listened for since {}: <code>{}</code> · {}</div>',
        when(rule.refused_at),
        rule.query,
        rule.refusal,
    )


def _part(state: ChannelState) -> Markup:
    said = f"since {when(state.since)}" + (f" · {state.detail}" if state.detail else "")
    return html(
        '<div class="rj-part"><span class="rj-name">{}</span>{}<span class="rj-meta">{}</span></div>',
        PARTS.get(state.part, words(state.part)),
        chip(words(state.state), TONES.get(state.state, "")),
        said,
    )


def _money(spend: ChannelSpend) -> Markup:
    spans = join([_span("Today", spend.today), _span("This month", spend.month)])
    ahead = f"At the end of the month about ${spend.month_end_usd:,.2f}, if it goes on like this."
    return html('{}<div class="rj-meta">{}</div>{}', spans, ahead, _actions(spend.by_action))


def _span(label: str, span: SpanSpend) -> Markup:
    held = f", ${money(span.held_usd)} held for calls under way" if span.held_usd else ""
    if span.budget_usd is None or span.share is None:
        return html(
            '<div class="rj-budget"><b>{}</b> ${}{}, no budget</div>', label, money(span.spent_usd), held
        )
    return html(
        '<div class="rj-budget"><b>{}</b> ${} of ${} · {}{}<div class="rj-spend {}" role="img" aria-label="{}">'
        '<i style="width:{}%"></i><u></u></div></div>',
        label,
        money(span.spent_usd),
        money(span.budget_usd),
        f"{span.share:.1%}",
        held,
        _tone(span.share),
        f"{span.share:.0%} of the budget; it warns at 80 % and stops at 100 %",
        f"{min(span.share, Decimal(1)) * 100:.1f}",
    )


def _tone(share: Decimal) -> str:
    if share >= 1:
        return "bad"
    return "warn" if share >= WARN_AT else ""


def _actions(rows: Iterable[ActionSpend]) -> Markup:
    said = [
        html(
            "{} {} ({} charged), ${}",
            row.n_resources,
            words(row.action).lower(),
            row.n_charged,
            money(row.spent_usd),
        )
        for row in rows
    ]
    return html(
        '<div class="rj-meta">Today: {}</div>', join(said, " · ") if said else "nothing was read or sent."
    )
