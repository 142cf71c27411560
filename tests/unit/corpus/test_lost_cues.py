"""A hundred real episodes: whatever an independent, simple reader finds in the file is in the cues, in order."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rejoinder.corpus.reading import read_source
from rejoinder.corpus.transcripts.pieces import has_speech
from rejoinder.corpus.transcripts.repeats import without_loops

TIME = re.compile(r"-->")
STAMP = re.compile(r"\\?\[-?(?:\d+:)*\d+:\d\d(?:\.\d+)?\\?\]")
MARKS = re.compile(r"\\?\[unintelligible[^\[\]]*\]|\\\[[^\[\]]*\]|<[^<>\n]*>|[*_\\`]")


def raw_pieces(path: Path) -> Iterator[str]:
    """What is said, as the file has it: a caption's text, a JSON segment's, a paragraph of Markdown."""
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".vtt":
        for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
            lines = block.split("\n")
            times = next((i for i, line in enumerate(lines) if TIME.search(line)), None)
            if times is not None:
                yield " ".join(lines[times + 1 :])
    elif path.suffix == ".json":
        for segment in json.loads(text)["segments"]:
            yield "".join(word["word"] for word in segment["wdlist"])
    else:
        for block in re.split(r"\n\s*\n", text):
            yield from STAMP.split(re.sub(r"^\*\*[^*\n]+\*\*", "", block.strip()))


def letters(text: str) -> str:
    return "".join(character for character in html.unescape(text).casefold() if character.isalnum())


@pytest.mark.slow
def test_no_cue_of_a_hundred_episodes_is_lost(data_dir: Path) -> None:
    patterns = ("podcasts_talkpython/*.vtt", "podcasts_changelog/*/*.md", "podcasts_metamuse/*/*.[jv]*")
    paths = [path for pattern in patterns for path in sorted(data_dir.glob(pattern))]
    assert len(paths) >= 100
    lost = []
    for path in paths:
        parsed = read_source(path.name, path.read_bytes())
        whole, position, held = letters(" ".join(cue.text for cue in parsed.cues)), 0, ""
        slack = 2000
        for piece in raw_pieces(path):
            said = letters(without_loops(MARKS.sub("", re.sub(r"\]\([^)]*\)", "", piece)).replace("[", "")))
            # A captioning program that says a cue twice is heard once.
            if not has_speech(piece) or not said or said == held:
                continue
            found = whole.find(said, position)
            if found < 0 or found - position > slack:
                lost.append((path.name, piece[:80]))
                slack += len(said)
            else:
                position, held, slack = found + len(said), said, 2000
    assert lost == []
