"""JSON: Whisper's segments, word lists with or without segments, and the podcast namespace's JSON."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import regex

from rejoinder.corpus.transcripts.chapters import chapters_of
from rejoinder.corpus.transcripts.pieces import clean, counted, speaker_name
from rejoinder.corpus.transcripts.times import as_seconds
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.errors import InputUnreadable
from rejoinder.text.language_codes import language_code

# Whisper's own limits (openai/whisper transcribe.py): a segment beyond them is a decoder that is
# stuck in a loop, or silence that it filled with words.
_MAX_COMPRESSION = 2.4
_MAX_NO_SPEECH = 0.6
_MIN_LOGPROB = -1.0

_LISTS = ("segments", "transcription", "results", "transcript", "words", "wdlist", "cues")
_WORD_LISTS = ("wdlist", "words")
_MAX_CUE_S = 15.0
_PAUSE_S = 1.5
_STOPS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_LIST_START = regex.compile(rf'"(?:{"|".join(_LISTS)})"\s*:\s*\[|^\s*\[')

Item = dict[str, Any]


class _Word(NamedTuple):
    text: str
    start_s: float | None
    end_s: float | None
    speaker: str | None


def looks_like_json(text: str) -> bool:
    """Whether the text begins as a JSON object or array of objects."""
    return regex.match(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])", text) is not None


def parse_json(text: str) -> Transcript:
    """A JSON transcript; one that is cut off keeps the segments that are whole.

    Segments with their words give one cue per sentence, so that times are those of the words.
    Whisper segments that are beyond Whisper's own quality limits are left out.

    Raises:
        InputUnreadable: the JSON is broken beyond repair, or has neither segments nor words.
    """
    document, load_notes = _load(text)
    items, trust_notes = _trusted(_items(document))
    top: Item = document if isinstance(document, dict) else {}
    format_name = (
        "word_json" if any(isinstance(item.get("wdlist"), list) for item in items) else "whisper_json"
    )
    cues = list(_segment_cues(items))
    if items and all("word" in item for item in items):
        format_name, cues = "word_json", list(_word_cues(_words(items, None)))
    title = top.get("title")
    return Transcript(
        clean(title) if isinstance(title, str) else "",
        format_name,
        tuple(cues),
        _language(top, items),
        chapters=chapters_of(top),
        notes=(*load_notes, *trust_notes),
    )


def _load(text: str) -> tuple[Any, list[str]]:
    try:
        return json.loads(text), []
    except (ValueError, RecursionError) as error:
        items = _whole_items(text)
        if not items:
            raise InputUnreadable(f"broken JSON, nothing whole in it: {error}") from error
        return {"segments": items}, [
            f"the file breaks off: read up to its {counted(len(items), 'whole segment')}"
        ]


def _whole_items(text: str) -> list[Item]:
    """The objects of the first list of a cut-off document that can still be read."""
    start = _LIST_START.search(text)
    decoder, items = json.JSONDecoder(), list[Item]()
    position = start.end() if start else len(text)
    while position < len(text):
        position += len(text[position : position + 200]) - len(
            text[position : position + 200].lstrip(" \t\n,")
        )
        try:
            item, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        items.extend([item] if isinstance(item, dict) else [])
    return items


def _items(document: Any) -> list[Item]:
    """The list of segments or words, wherever it stands.

    Raises:
        InputUnreadable: there is none.
    """
    found = document
    if isinstance(document, dict):
        lists = (document[name] for name in _LISTS if isinstance(document.get(name), list))
        found = next(lists, None)
    if isinstance(document, dict) and found is None and chapters_of(document):
        raise InputUnreadable("a list of chapters, not a transcript: name it as the chapters of its episode")
    if not isinstance(found, list):
        raise InputUnreadable("JSON without segments or words: not a transcript")
    return [item for item in found if isinstance(item, dict)]


def _trusted(items: list[Item]) -> tuple[list[Item], list[str]]:
    """The items without those that Whisper itself would not keep, and a note on those.

    Raises:
        InputUnreadable: that is none of them, or there was none.
    """
    if not items:
        raise InputUnreadable("no speech in it: its list of segments is empty")
    trusted = [item for item in items if _is_trusted(item)]
    if not trusted:
        raise InputUnreadable(
            f"no speech in it: the recogniser heard silence or was stuck in all {len(items)} segments"
        )
    n_left_out = len(items) - len(trusted)
    why = "left out, in which the recogniser heard silence or was stuck"
    return trusted, [f"{counted(n_left_out, 'segment')} {why}"] if n_left_out else []


def _is_trusted(item: Item) -> bool:
    """Whether Whisper itself would keep the segment; anything else is kept."""
    compression, no_speech, logprob = (
        value if isinstance(value := item.get(name), int | float) else None
        for name in ("compression_ratio", "no_speech_prob", "avg_logprob")
    )
    is_stuck = compression is not None and compression > _MAX_COMPRESSION
    is_silence = (no_speech or 0) > _MAX_NO_SPEECH and (0 if logprob is None else logprob) < _MIN_LOGPROB
    return not is_stuck and not is_silence


def _segment_cues(items: list[Item]) -> Iterator[Cue]:
    speaker: str | None = None
    for item in items:
        speaker = _speaker(item) or speaker
        text = _text(item)
        words: list[Any] = next((item[name] for name in _WORD_LISTS if isinstance(item.get(name), list)), [])
        if words and not text:
            yield from _word_cues(_words(words, speaker))
        elif text:
            start_s, end_s = _times(item)
            yield Cue(text, start_s, end_s, speaker)


def _text(item: Item) -> str:
    values = (item.get(name) for name in ("text", "body", "punctuated_word", "word"))
    return clean(next((value for value in values if isinstance(value, str)), ""))


def _speaker(item: Item) -> str | None:
    values = (item.get(name) for name in ("speaker_name", "speaker", "speaker_label", "speaker_id"))
    names = (speaker_name(str(value)) for value in values if isinstance(value, str | int))
    return next((name for name in names if name), None)


def _times(item: Item) -> tuple[float | None, float | None]:
    offsets = item.get("offsets")
    if isinstance(offsets, dict):
        first, last = (as_seconds(offsets.get(name)) for name in ("from", "to"))
        return (None if first is None else first / 1000), (None if last is None else last / 1000)
    starts = (as_seconds(item.get(name)) for name in ("start", "startTime", "start_time", "start_s"))
    ends = (as_seconds(item.get(name)) for name in ("end", "endTime", "end_time", "end_s"))
    return next((s for s in starts if s is not None), None), next((e for e in ends if e is not None), None)


def _words(items: list[Any], speaker: str | None) -> Iterator[_Word]:
    for item in items:
        if isinstance(item, dict) and (text := _text(item)):
            speaker = _speaker(item) or speaker
            yield _Word(text, *_times(item), speaker)


def _word_cues(words: Iterator[_Word]) -> Iterator[Cue]:
    """Join words to cues that end at a sentence's end, a pause, a change of speaker or after 15 s."""
    held: list[_Word] = []
    for word in words:
        if held and _breaks(held, word):
            yield _joined(held)
            held = []
        held.append(word)
    if held:
        yield _joined(held)


def _breaks(held: list[_Word], word: _Word) -> bool:
    first, last = held[0], held[-1]
    if last.text.endswith(_STOPS) or word.speaker != last.speaker:
        return True
    if word.start_s is None or first.start_s is None:
        return len(held) >= 60
    return word.start_s - (last.end_s or word.start_s) > _PAUSE_S or word.start_s - first.start_s > _MAX_CUE_S


def _joined(held: list[_Word]) -> Cue:
    text = " ".join(word.text for word in held)
    return Cue(text, held[0].start_s, held[-1].end_s, held[0].speaker)


def _language(top: Item, items: list[Item]) -> str | None:
    values = [top.get("language"), *(item.get("lang") for item in items[:1])]
    return next((language_code(value) for value in values if isinstance(value, str)), None)
