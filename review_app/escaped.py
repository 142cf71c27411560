"""Words of others on the page: the one door through which text becomes HTML, and it escapes everything.

Posts, authors, titles, reasons and messages come from outside. They are never given to a Streamlit call that
reads Markdown (labels, captions, toasts, help); they go through `html`, which escapes every value.
"""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from rejoinder.corpus.moments import Form, link_at_second
from rejoinder.text.languages import is_right_to_left

__all__ = ["Markup", "chip", "direction", "html", "join", "link", "note", "show", "show_text"]


def html(template: str, *values: object, **named: object) -> Markup:
    """A piece of HTML: the template is ours, every value in it is escaped unless it is such a piece itself.

    >>> html("<b>{}</b>", "<script>")
    Markup('<b>&lt;script&gt;</b>')
    """
    return Markup(template).format(*values, **named)  # noqa: S704 - templates are literals of this app


def join(pieces: "list[Markup]", by: str = " ") -> Markup:
    """Several pieces as one."""
    return Markup(by).join(pieces)  # noqa: S704 - a literal of this app


def show(piece: Markup) -> None:
    """Put a piece on the page."""
    st.html(str(piece))


def direction(text: str) -> str:
    """The value of HTML's ``dir`` for a text.

    >>> direction("hello"), direction("שלום")
    ('ltr', 'rtl')
    """
    return "rtl" if is_right_to_left(text) else "ltr"


def show_text(text: str, kind: str = "") -> None:
    """A text of somebody else as it is: line breaks kept, nothing in it rendered."""
    show(html('<div class="rj-text {}" dir="{}">{}</div>', kind, direction(text), text))


def chip(text: str, tone: str = "", title: str = "") -> Markup:
    """A small label; tone is good, bad, warn, call, rehearsal or nothing."""
    return html('<span class="rj-chip {}" title="{}">{}</span>', tone, title, text)


def link(text: str, url: str | None, second: float | None = None, own: Sequence[Form] = ()) -> Markup:
    """The text as a link, at a second of a recording; just the text where the address is no web address.

    own are the forms of the operator's own players.
    """
    address = link_at_second(url, second, own)
    if address is None:
        return html("{}", text)
    return html(
        '<a class="rj-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', address, text
    )


def note(text: str, title: str = "", tone: str = "") -> None:
    """A message in a box; tone is bad, warn, good or nothing."""
    head = html("<b>{}</b>", title) if title else Markup()
    show(html('<div class="rj-note {}" role="status">{}{}</div>', tone, head, text))
