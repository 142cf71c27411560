"""Putting the link into a reply and taking it out again, as the reviewer decides; the rest of the text stays.

What belongs here: plain functions from a text to a text. Whether there is an address to link to, and what it costs, is
decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from rejoinder.drafting.citations import in_markdown, link_after, markdown_link, without_square_brackets
from rejoinder.listening.post import Platform


def carries(text: str, address: str) -> bool:
    """Whether the text links to the address, bare or as Markdown writes it; one that only begins like it is another.

    >>> carries("It is at 0:01 (https://pod.example/1#t=1).", "https://pod.example/1#t=1")
    True
    >>> carries("It is at 0:18: https://pod.example/1#t=18", "https://pod.example/1#t=1")
    False
    """
    return bool(regex.search(_bare(address), text) or regex.search(_target(address), text))


def with_link(text: str, platform: Platform, cited: Sequence[str], address: str) -> str:
    r"""The text with the link: behind it on X, elsewhere on the source's name where that stands, or below.

    Args:
        text: the reply; of a thread all of it, the link goes to its end.
        platform: where it goes.
        cited: how the source may be named in the text, the longest first.
        address: to link to.

    >>> with_link("“Salt it.” (Ines, Cheese, 1:04)", "reddit", ["Ines, Cheese, 1:04"], "https://pod.example/1")
    '“Salt it.” ([Ines, Cheese, 1:04](https://pod.example/1))'
    >>> with_link("“Salt it.” (Cheese)", "x", ["Cheese"], "https://pod.example/1")
    '“Salt it.” (Cheese) https://pod.example/1'
    """
    if carries(text, address):
        return text
    # A name that was linked before stands there with round brackets.
    names = (form for name in cited for form in (name, without_square_brackets(name)))
    named = next((name for name in names if name in text), None)
    if platform == "x" or named is None:
        return text.rstrip() + link_after(platform, cited[0], address)
    return text.replace(named, markdown_link(named, address), 1)


def without_link(text: str, cited: Sequence[str], address: str) -> str:
    """The text without links to the address; a name that was linked stays, unless it only stood there to be linked.

    >>> without_link("“Salt it.” ([Cheese, 1:04](https://pod.example/1))", ["Cheese, 1:04"], "https://pod.example/1")
    '“Salt it.” (Cheese, 1:04)'
    """
    while carries(text, address):
        left = _without_links(text, cited, address)
        if left == text:
            break
        # Of two that were written without a blank between them, the other is one only now.
        text = left
    return text


def _without_links(text: str, cited: Sequence[str], address: str) -> str:
    below = f"\n\n{markdown_link(cited[0], address)}"
    before = text.removesuffix(below)
    if before != text and any(without_square_brackets(name) in before for name in cited):
        return before
    unlinked = regex.sub(rf"\[([^\[\]]*){_target(address)}", r"\1", text)
    return regex.sub(rf"[ \t]*(?:\({_bare(address)}\)|{_bare(address)})", "", unlinked)


@dataclass(frozen=True, slots=True)
class Switched:
    """A text after the switch, and before it."""

    text: str
    before: str


def switched(
    text: str, platform: Platform, cited: Sequence[str], address: str, last: Switched | None = None
) -> Switched:
    """The text with the link where it had none, without it where it had one.

    Switching twice gives back the very text, wherever the link stood in it: so the last switch is looked at first.

    Args:
        text: the reply as it stands in the box.
        platform: where it goes.
        cited: how the source may be named in the text, the longest first.
        address: to link to.
        last: what the switch made before; it counts while nobody changed the text since.
    """
    if last is not None and last.text == text:
        return Switched(last.before, text)
    if carries(text, address):
        return Switched(without_link(text, cited, address), text)
    return Switched(with_link(text, platform, cited, address), text)


def _target(address: str) -> str:
    return rf"\]\({regex.escape(in_markdown(address))}\)"


def _bare(address: str) -> str:
    # Not an address that only begins or ends like this one; closing marks belong to the sentence around it.
    return rf"(?<![^\s\p{{Ps}}\p{{Pi}}\"'])(?<!\]\(){regex.escape(address)}(?=[\p{{Pe}}\p{{Pf}}.,;:!?\"']*(?:\s|$))"
