"""What every parsed source goes through: no empty cues, no loops, times in order; each change leaves a note."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rejoinder.corpus.transcripts.pieces import counted, has_speech
from rejoinder.corpus.transcripts.repeats import joined_repeats, without_loops
from rejoinder.corpus.transcripts.times import in_order
from rejoinder.corpus.values import Chapter, Cue, Transcript
from rejoinder.errors import InputUnreadable

Numbered = tuple[int, Cue]

# People talk over each other for some seconds; beyond that an end was mistyped.
_MAX_TALKING_OVER_S = 30.0
_ROUNDING_S = 0.05


def clean_transcript(parsed: Transcript) -> Transcript:
    """The transcript with what is wrong in the file put right, and a note on each kind of change.

    Cues without words are left out, a loop is said once, starts never decrease, ends lie between their cue's
    start and, for one speaker, the next start. A cue without an end takes the start of the next.

    Raises:
        InputUnreadable: nothing is said.
    """
    spoken = [(i, cue) for i, cue in enumerate(parsed.cues) if has_speech(cue.text)]
    if not spoken:
        raise InputUnreadable("no speech in it" if parsed.cues else "no cue could be read")
    if not any(map(str.isalpha, "".join(cue.text for _, cue in spoken))):
        raise InputUnreadable("no words in it, only numbers")
    told = [(i, replace(cue, text=without_loops(cue.text))) for i, cue in spoken]
    kept = joined_repeats(told)
    cues, time_notes = _timed([cue for _, cue in kept])
    n_loops = sum(before.text != after.text for (_, before), (_, after) in zip(spoken, told, strict=True))
    notes = [
        *_note(len(parsed.cues) - len(spoken), "cue", "without words left out"),
        *_note(n_loops, "cue", "in which a stuck recogniser repeated itself cut down to what it said once"),
        *_note(len(told) - len(kept), "cue", "that only repeated what came before left out"),
        *time_notes,
    ]
    chapters = _moved(parsed.chapters, [i for i, _ in kept], cues)
    return replace(parsed, cues=cues, chapters=chapters, notes=(*parsed.notes, *notes))


def _note(n: int, noun: str, words: str) -> list[str]:
    return [f"{counted(n, noun)} {words}"] if n else []


def _timed(cues: Sequence[Cue]) -> tuple[tuple[Cue, ...], list[str]]:
    """Starts in order, ends where they can be."""
    starts = in_order([cue.start_s for cue in cues])
    n_backward = sum(
        known is None and cue.start_s is not None for known, cue in zip(starts, cues, strict=True)
    )
    placed = list(_placed(cues, starts))
    shortened = list(_shortened(placed))
    n_overlaps = sum(
        _is_earlier(after.end_s, before.end_s) for before, after in zip(placed, shortened, strict=True)
    )
    return tuple(shortened), [
        *_note(n_backward, "cue", "with a time that runs backwards given the time of the cue before"),
        *_note(n_overlaps, "cue", "that ran into the next of the same speaker ended there"),
    ]


def _is_earlier(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and first < second - _ROUNDING_S


def _placed(cues: Sequence[Cue], starts: Sequence[float | None]) -> Iterator[Cue]:
    """Every cue behind the first known start has a start, and none ends before it starts."""
    latest: float | None = None
    for cue, start_s, upcoming in zip(cues, starts, _next_known(starts), strict=True):
        latest = start_s = latest if start_s is None else start_s
        end_s = cue.end_s if cue.end_s is not None else upcoming
        is_backward = start_s is None or end_s is None or end_s < start_s
        yield replace(cue, start_s=start_s, end_s=start_s if is_backward and end_s is not None else end_s)


def _next_known(starts: Sequence[float | None]) -> list[float | None]:
    """For each position the first start behind it that is known."""
    following: list[float | None] = []
    upcoming: float | None = None
    for start_s in reversed(starts):
        following.append(upcoming)
        upcoming = start_s if start_s is not None else upcoming
    return following[::-1]


def _shortened(cues: Sequence[Cue]) -> Iterator[Cue]:
    """No cue lasts into the next later one of its speaker, or far into anyone's."""
    for cue, following in zip(cues, _next_later(cues), strict=True):
        yield replace(cue, end_s=_end_before(cue, following))


def _next_later(cues: Sequence[Cue]) -> list[Cue | None]:
    """For each cue the first behind it that starts later."""
    found: list[Cue | None] = [None] * len(cues)
    for i in range(len(cues) - 2, -1, -1):
        following = cues[i + 1]
        found[i] = found[i + 1] if following.start_s == cues[i].start_s else following
    return found


def _end_before(cue: Cue, following: Cue | None) -> float | None:
    if following is None or cue.end_s is None or following.start_s is None:
        return cue.end_s
    is_too_long = cue.end_s - following.start_s > _MAX_TALKING_OVER_S
    is_own = cue.speaker == following.speaker
    return min(cue.end_s, following.start_s) if is_own or is_too_long else cue.end_s


def _moved(chapters: Sequence[Chapter], kept: list[int], cues: Sequence[Cue]) -> tuple[Chapter, ...]:
    """The chapters with the places that their first cues have now; those behind the last cue fall away."""
    moved = []
    for chapter in chapters:
        first = None if chapter.first_cue is None else bisect_left(kept, chapter.first_cue)
        if first is not None and first >= len(cues):
            continue
        start_s = chapter.start_s if chapter.start_s is not None or first is None else cues[first].start_s
        moved.append(replace(chapter, first_cue=first, start_s=start_s))
    return tuple(moved)
