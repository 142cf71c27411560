"""What the formats of documents share: blocks of text in order, and how they become a transcript."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rejoinder.corpus.transcripts.pieces import clean, counted, has_speech
from rejoinder.corpus.transcripts.plain_text import is_spoken, parse_plain_text
from rejoinder.corpus.values import Chapter, Cue, Transcript
from rejoinder.errors import InputUnreadable
from rejoinder.text.language_codes import language_code


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item of a list, a row of a table; or, with a level of 1 to 6, a heading."""

    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Properties:
    """What a document says of itself; published is as it stands there."""

    title: str = ""
    author: str | None = None
    language: str | None = None
    url: str | None = None
    published: str | None = None


def as_transcript(
    kind: str, blocks: Iterable[Block], properties: Properties, notes: Sequence[str] = ()
) -> Transcript:
    """A document as a transcript: a cue per paragraph, a chapter per heading, the author as who says it.

    A document that is a written-down talk, with times or names at the head of its paragraphs, keeps those.

    Args:
        kind: the transcript's format.
        blocks: in reading order.
        properties: what the document says of itself; without a title the first heading of level 1 is one.
        notes: what was left out.

    Raises:
        InputUnreadable: there is no text.
    """
    filled = [Block(text, block.level) for block in blocks if (text := clean(block.text))]
    paragraphs = [block for block in filled if not block.level and has_speech(block.text)]
    if not paragraphs:
        raise InputUnreadable("no text in it")
    title = properties.title or next((block.text for block in filled if block.level == 1), "")
    if is_spoken([block.text for block in paragraphs]):
        told = parse_plain_text(
            "\n\n".join("#" * block.level + " " * bool(block.level) + block.text for block in filled)
        )
        cues, chapters = told.cues, told.chapters
    else:
        cues, chapters = _written(filled, properties.author)
    if chapters and chapters[0].title == title and chapters[0].first_cue == 0:
        chapters = chapters[1:]
    return Transcript(
        title,
        kind,
        cues,
        language_code(properties.language),
        chapters,
        properties.url,
        as_utc(properties.published),
        tuple(notes),
    )


def _written(blocks: Iterable[Block], author: str | None) -> tuple[tuple[Cue, ...], tuple[Chapter, ...]]:
    cues: list[Cue] = []
    chapters: list[Chapter] = []
    for block in blocks:
        if block.level:
            chapters.append(Chapter(block.text, None, len(cues)))
        else:
            cues.append(Cue(block.text, speaker=author))
    return tuple(cues), tuple(chapters)


def as_utc(stamp: str | None) -> datetime | None:
    """A date or a time of ISO 8601 as an aware UTC time; one without a zone is taken as UTC.

    >>> as_utc("2024-03-02T10:00:00+02:00").isoformat(), as_utc("2024-03-02").isoformat(), as_utc("soon")
    ('2024-03-02T08:00:00+00:00', '2024-03-02T00:00:00+00:00', None)
    """
    try:
        found = datetime.fromisoformat((stamp or "").strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def left_out(n: int, noun: str) -> list[str]:
    """A note on blocks that are no prose."""
    return [f"{counted(n, noun)} left out"] if n else []
