"""The real files: every one of the demo's, and all the podcasts."""

from collections import Counter
from pathlib import Path

import pytest

from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.errors import InputUnreadable

FORMATS = {
    "10-tools-for-thought.vtt": "webvtt",
    "514-python-language-summit-2025.txt": "text",
    "71-programmable-ink.json": "word_json",
    "example.srt": "srt",
    "practical-ai-260.md": "markdown",
    "smartphone.mp3.words.json": "whisper_json",
}


def test_every_transcript_of_the_demo_is_read(data_dir: Path) -> None:
    paths = sorted((data_dir / "demo/transcripts").iterdir())
    parsed = {path.name: parse_transcript(path.name, path.read_bytes()) for path in paths}
    assert len(parsed) == 14
    assert {name: parsed[name].format for name in FORMATS} == FORMATS
    assert all(cue.start_s is not None for transcript in parsed.values() for cue in transcript.cues)
    assert all(len(transcript.cues) > 40 for transcript in parsed.values())


def test_speakers_of_the_demo(data_dir: Path) -> None:
    folder = data_dir / "demo/transcripts"

    def speakers(name: str) -> set[str | None]:
        return {cue.speaker for cue in parse_transcript(name, (folder / name).read_bytes()).cues}

    assert speakers("71-programmable-ink.json") == {"Adam Wiggins", "James Lindenbaum", "Szymon Kaliski"}
    assert speakers("10-tools-for-thought.vtt") == {"Speaker 0", "Speaker 1"}
    assert speakers("practical-ai-260.md") == {"Chris Benson", "Anastasis Germanidis"}
    assert "Travis" in speakers("example.srt")


def test_twins_of_one_episode_agree(data_dir: Path) -> None:
    folder = data_dir / "podcasts_talkpython"
    captions, plain = (
        parse_transcript(name, (folder / name).read_bytes())
        for name in ("515-temporal.vtt", "515-temporal.txt")
    )
    said, written = ([word for cue in twin.cues for word in cue.text.split()] for twin in (captions, plain))
    assert len(set(said) ^ set(written)) < 0.01 * len(set(said))
    assert captions.cues[0].text == plain.cues[0].text
    assert abs((captions.cues[-1].start_s or 0) - (plain.cues[-1].start_s or 0)) < 2


@pytest.mark.parametrize(
    "folder, n_unreadable",
    [
        ("podcasts_talkpython", 0),
        ("podcasts_changelog", 0),
        ("podcasts_metamuse", 0),
        ("podcasts_apollo_spacelog", 1),  # _meta: a page of settings
        ("podcasts_namespace_examples", 2),  # chapters
        ("podcasts_whisper_json", 13),  # silence, music, decoders that are stuck
    ],
)
def test_all_podcasts(data_dir: Path, folder: str, n_unreadable: int) -> None:
    outcomes: Counter[str] = Counter()
    for path in sorted(path for path in (data_dir / folder).rglob("*") if path.is_file()):
        try:
            parse_transcript(path.name, path.read_bytes())
            outcomes["read"] += 1
        except InputUnreadable:
            outcomes["unreadable"] += 1
    assert outcomes["unreadable"] == n_unreadable and outcomes["read"] > 2
