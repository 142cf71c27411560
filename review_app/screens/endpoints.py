"""Endpoints: the models that may be called, how they are, what they cost today. They are set in rejoinder.toml."""

from collections.abc import Sequence

import streamlit as st

from resources.llm.gateway.registry import EndpointStatus, Spending, endpoint_statuses, is_refused, spending
from resources.tuning_models import ModelBudget
from review_app.desk import reading
from review_app.escaped import Markup, chip, html, join, note, show
from review_app.texts import utc_now, when, words

WITHOUT_MODEL = "local::"


def show_endpoints(budget: ModelBudget) -> None:
    """The endpoints and the day's spend."""
    today = utc_now().date()
    with reading() as tx:
        known = endpoint_statuses(tx, today)
        spent = spending(tx, today, 1)
    endpoints = sorted(filter(_concerns_today, known), key=lambda e: e.uri.startswith(WITHOUT_MODEL))
    show(html('<div class="rj-title">Endpoints</div>'))
    _show_spend(spent, budget)
    if not any(not endpoint.uri.startswith(WITHOUT_MODEL) for endpoint in endpoints):
        note(
            "Every task is done without a model, by quoting and by rules. An endpoint is a section [endpoints.NAME] of "
            "rejoinder.toml (docs/models.md).",
            "No model is set up",
        )
    _show_list(endpoints)


def _concerns_today(endpoint: EndpointStatus) -> bool:
    return endpoint.is_configured or bool(endpoint.spent_usd or endpoint.load)


def _show_spend(spent: Sequence[Spending], budget: ModelBudget) -> None:
    """What was spent today, of what may be; what calls under way have reserved counts."""
    usd_of = {(row.scope, row.key): row.spent_usd + row.reserved_usd for row in spent}
    pieces = [_share("all models", usd_of.get(("total", ""), 0.0), budget.total_usd)]
    tasks = sorted(((usd, key) for (scope, key), usd in usd_of.items() if scope == "task"), reverse=True)
    pieces += [_share(words(task), usd, budget.tasks.get(task)) for usd, task in tasks]
    show(
        html(
            '<div class="rj-numbers" title="The day begins at midnight UTC">{}</div>',
            join([html('<span class="rj-number">{}</span>', piece) for piece in pieces]),
        )
    )


def _share(label: str, usd: float, limit: float | None) -> Markup:
    said = f"{label} today" if limit is None else f"of ${limit:,.2f} for {label} today"
    return html("<b>{}</b><span>{}</span>", _spent(usd), said)


def _show_list(endpoints: Sequence[EndpointStatus]) -> None:
    for endpoint in endpoints:
        with st.container(border=True, key=f"endpoint_{endpoint.name}", gap="xsmall"):
            show(_card(endpoint))
            if endpoint.last_error and (endpoint.breaker != "closed" or is_refused(endpoint)):
                show(html('<div class="rj-excerpt more">{}</div>', endpoint.last_error))


def _card(endpoint: EndpointStatus) -> Markup:
    is_limited = not endpoint.uri.startswith(WITHOUT_MODEL)
    facts = [html("{}", _price(endpoint)), html("{} today", _spent(endpoint.spent_usd))]
    if endpoint.last_ok_at:
        facts.append(html("last answer {}", when(endpoint.last_ok_at)))
    if endpoint.base_url:
        facts.append(html("at {}", endpoint.base_url))
    return html(
        '<div class="rj-line whole"><span><span class="rj-who">{}</span> <span class="rj-meta">{}</span></span>'
        '<span class="rj-meta">{}</span></div><div>{}</div><div class="rj-meta">{}</div>',
        endpoint.name,
        endpoint.uri,
        _load(endpoint) if is_limited else "no limit",
        join(_chips(endpoint), ""),
        join(facts, " · "),
    )


def _load(endpoint: EndpointStatus) -> Markup:
    share = min(100, round(100 * endpoint.load / endpoint.max_concurrent))
    return html(
        '<span class="rj-bar"><i style="width:{}%"></i></span>{} of {} places taken',
        share,
        endpoint.load,
        endpoint.max_concurrent,
    )


def _chips(endpoint: EndpointStatus) -> list[Markup]:
    label, tone = _health(endpoint)
    chips = [chip(label, tone, f"{endpoint.failures} failures in a row" if endpoint.failures else "")]
    if not endpoint.is_configured:
        chips.append(chip("no longer in rejoinder.toml", "warn"))
    return chips + [chip(can) for can in endpoint.capabilities]


def _health(endpoint: EndpointStatus) -> tuple[str, str]:
    """How an endpoint is, and how good that is; that one answers is said only of one that did."""
    if endpoint.uri.startswith(WITHOUT_MODEL):
        return "always there", "good"
    if not endpoint.is_enabled:
        return "switched off", "warn"
    if endpoint.breaker == "open":
        until = f" until {when(endpoint.opened_until)}" if endpoint.opened_until else ""
        return f"left alone{until}", "bad"
    if endpoint.breaker == "half_open":
        return "being tried", "warn"
    return _seen(endpoint)


def _seen(endpoint: EndpointStatus) -> tuple[str, str]:
    """What the calls of an endpoint that may be called came to."""
    if is_refused(endpoint):
        return "refuses", "bad"
    if endpoint.price_in is None or endpoint.price_out is None:
        return "has no price", "warn"
    if endpoint.failures:
        return "failing", "warn"
    return ("answers", "good") if endpoint.last_ok_at else ("not called yet", "")


def _price(endpoint: EndpointStatus) -> str:
    if endpoint.price_in is None or endpoint.price_out is None:
        return "price not known: it cannot be called"
    if not endpoint.price_in and not endpoint.price_out:
        return "costs nothing"
    as_of = f", as of {endpoint.price_as_of}" if endpoint.price_as_of else ""
    return f"{_usd(endpoint.price_in)} in, {_usd(endpoint.price_out)} out for a million tokens{as_of}"


def _usd(price: float) -> str:
    """A price, with more than cents where it has them.

    >>> _usd(0.4), _usd(0.075)
    ('$0.40', '$0.075')
    """
    return f"${price:,.2f}" if round(price, 2) == price else f"${price:g}"


def _spent(usd: float) -> str:
    """What was spent, in cents; less than one is told from nothing.

    >>> _spent(0), _spent(0.0001), _spent(1.25)
    ('$0.00', '< $0.01', '$1.25')
    """
    return "< $0.01" if 0 < usd < 0.01 else f"${usd:,.2f}"
