"""Markdown documents: headings, paragraphs, lists and tables as CommonMark has them; front matter."""

from collections.abc import Sequence

import regex
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rejoinder.corpus.documents.blocks import Block, Properties, as_transcript, left_out
from rejoinder.corpus.values import Transcript

_FRONT_MATTER = regex.compile(r"\A\s*---[^\S\n]*\n(?P<lines>(?:[^\n]*\n){0,80}?)---[^\S\n]*(?:\n|\Z)")
_FIELD = regex.compile(r"(?m)^(?P<name>[A-Za-z_]{2,20})[^\S\n]*:[^\S\n]*(?P<value>[^\n]{1,500}?)[^\S\n]*$")
_MARKS = regex.compile(
    r"(?m)^(?:#{1,6}[^\S\n]+\S|(?:```|~~~))|\[[^\[\]\n]{1,200}\]\([^()\s]{1,500}\)|^(?:={3,}|-{3,})$"
)
_MIN_MARKS = 2
_COMMENT = regex.compile(r"<!--.*?(?:-->|\Z)", regex.DOTALL)
_SHOWN = ("text", "code_inline")
_BREAKS = ("softbreak", "hardbreak")


def looks_like_document(text: str) -> bool:
    """Whether a text has front matter, or headings, code fences and links as Markdown writes them."""
    marks = _MARKS.findall(text, endpos=200_000)
    is_headed = any(mark.startswith("#") for mark in marks)
    return is_headed or len(marks) >= _MIN_MARKS or _FRONT_MATTER.match(text) is not None


def parse_document(text: str) -> Transcript:
    """A Markdown document; code blocks are left out, links keep their words.

    Raises:
        InputUnreadable: there is no text in it.
    """
    front = _FRONT_MATTER.match(text)
    fields = (
        {m["name"].casefold(): m["value"].strip("\"' ") for m in _FIELD.finditer(front["lines"])}
        if front
        else {}
    )
    body = text[front.end() :] if front else text
    tokens = MarkdownIt("commonmark").enable("table").parse(_COMMENT.sub("", body))
    n_code = sum(token.type in ("fence", "code_block") for token in tokens)
    properties = Properties(
        title=fields.get("title", ""),
        author=fields.get("author"),
        language=fields.get("lang") or fields.get("language"),
        url=fields.get("canonical_url") or fields.get("url"),
        published=fields.get("date") or fields.get("published"),
    )
    return as_transcript("markdown_document", _blocks(tokens), properties, left_out(n_code, "code block"))


def _blocks(tokens: Sequence[Token]) -> list[Block]:
    blocks: list[Block] = []
    row: list[str] | None = None
    for position, token in enumerate(tokens):
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            blocks.append(Block(", ".join(filter(None, row))))
            row = None
        elif token.type == "inline":
            words = _words(token.children or ())
            if row is not None:
                row.append(words)
            else:
                blocks.append(Block(words, _level(tokens[position - 1])))
    return blocks


def _level(opening: Token) -> int:
    return int(opening.tag[1:]) if opening.type == "heading_open" else 0


def _words(tokens: Sequence[Token]) -> str:
    """What a reader sees of a line: no targets of links, no pictures, no tags."""
    pieces = [token.content if token.type in _SHOWN else " " * (token.type in _BREAKS) for token in tokens]
    return "".join(pieces)
