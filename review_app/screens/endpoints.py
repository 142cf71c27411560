"""Endpoints: the models that may be called, how they are, what they cost today. They are set in rejoinder.toml."""

from collections.abc import Sequence

import streamlit as st

from resources.store.endpoint_list import DaySpend, EndpointRow, list_endpoints, read_spend
from resources.tuning_models import ModelBudget
from review_app.desk import reading
from review_app.escaped import Markup, chip, html, join, note, show
from review_app.texts import counted, day_start, utc_now, when, words

BREAKERS = {
    "closed": ("answers", "good"),
    "open": ("left alone", "bad"),
    "half_open": ("being tried", "warn"),
}
WITHOUT_MODEL = "local::"


def show_endpoints(budget: ModelBudget) -> None:
    """The endpoints and the day's spend."""
    day_at = day_start()
    with reading() as tx:
        endpoints = list_endpoints(tx, now=utc_now(), day_at=day_at)
        spend = read_spend(tx, day_at.date())
    show(html('<div class="rj-title">Endpoints</div>'))
    _show_spend(spend, budget)
    if not any(not endpoint.uri.startswith(WITHOUT_MODEL) for endpoint in endpoints):
        note(
            "Every task is done without a model, by quoting and by rules. An endpoint is a section [endpoints.NAME] of "
            "rejoinder.toml; it appears here once something has called a model.",
            "No model is set up",
        )
    _show_list(endpoints)


def _show_spend(spend: DaySpend, budget: ModelBudget) -> None:
    """What was spent today, of what may be."""
    pieces = [_share("all models", spend.total_usd, budget.total_usd)]
    limits = budget.tasks
    pieces += [_share(words(task), usd, limits.get(task)) for task, usd in spend.by_task]
    show(
        html(
            '<div class="rj-numbers" title="The day begins at midnight UTC">{}</div>',
            join([html('<span class="rj-number">{}</span>', piece) for piece in pieces]),
        )
    )


def _share(label: str, usd: float, limit: float | None) -> Markup:
    said = f"{label} today" if limit is None else f"of ${limit:,.2f} for {label} today"
    return html("<b>${}</b><span>{}</span>", f"{usd:,.2f}", said)


def _show_list(endpoints: Sequence[EndpointRow]) -> None:
    for endpoint in endpoints:
        with st.container(border=True, key=f"endpoint_{endpoint.name}", gap="xsmall"):
            show(_card(endpoint))
            if endpoint.breaker != "closed" and endpoint.last_error:
                show(html('<div class="rj-excerpt">{}</div>', endpoint.last_error))


def _card(endpoint: EndpointRow) -> Markup:
    is_limited = not endpoint.uri.startswith(WITHOUT_MODEL)
    facts = [html("{}", _price(endpoint)), html("{} today, ${}", *_today(endpoint))]
    if endpoint.last_ok_at:
        facts.append(html("last answer {}", when(endpoint.last_ok_at)))
    return html(
        '<div class="rj-line"><span><span class="rj-who">{}</span> <span class="rj-meta">{}</span></span>'
        '<span class="rj-meta">{}</span></div><div>{}</div><div class="rj-meta">{}</div>',
        endpoint.name,
        endpoint.uri,
        _load(endpoint) if is_limited else "no limit",
        join(_chips(endpoint), ""),
        join(facts, " · "),
    )


def _load(endpoint: EndpointRow) -> Markup:
    share = min(100, round(100 * endpoint.load / endpoint.max_concurrent))
    return html(
        '<span class="rj-bar"><i style="width:{}%"></i></span>{} of {} places taken',
        share,
        endpoint.load,
        endpoint.max_concurrent,
    )


def _chips(endpoint: EndpointRow) -> list[Markup]:
    label, tone = BREAKERS[endpoint.breaker]
    if endpoint.breaker == "open" and endpoint.opened_until:
        label = f"{label} until {when(endpoint.opened_until)}"
    chips = [chip(label, tone, f"{endpoint.failures} failures in a row")]
    if not endpoint.is_enabled:
        chips.append(chip("switched off", "warn"))
    if not endpoint.is_configured:
        chips.append(chip("no longer in rejoinder.toml", "warn"))
    return chips + [chip(can) for can in endpoint.capabilities]


def _today(endpoint: EndpointRow) -> tuple[str, str]:
    return counted(endpoint.n_calls, "call"), f"{endpoint.spent_usd:,.2f}"


def _price(endpoint: EndpointRow) -> str:
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
