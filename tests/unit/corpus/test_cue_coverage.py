"""Real episodes: every cue's text stands in exactly the chunks that cover its time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import pytest

from rejoinder.corpus.chunks import chunk_transcript
from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Chunk, Cue, Transcript
from resources.llm.onnx_embedder import OnnxEmbedder

EPISODES = {
    "podcasts_talkpython": "*.vtt",
    "podcasts_changelog": "*/*.md",
    "podcasts_metamuse": "captions/*.vtt",
    "podcasts_namespace_examples": "transcripts/*.srt",
    "podcasts_apollo_spacelog": "*/transcripts/TEC",
}
# Seconds of sentences are rounded to hundredths.
ROUNDING_S = 0.02


def letters(text: str) -> str:
    return "".join(text.split())


def lost_cues(cues: Sequence[Cue], chunks: Sequence[Chunk]) -> Iterator[str]:
    """What is wrong with a cue: its words are missing, in another order, or in other chunks than its time says."""
    told, said = [letters(chunk.text) for chunk in chunks], [letters(cue.text) for cue in cues]
    if "".join(told) != "".join(said):
        yield "the chunks joined are not the cues joined"
        return
    ends = list(accumulate(map(len, told)))
    position = 0
    for cue, text in zip(cues, said, strict=True):
        first = bisect_right(ends, position)
        position += len(text)
        last = bisect_left(ends, position)
        yield from misplaced(cue, chunks, first, last, cues)


def misplaced(cue: Cue, chunks: Sequence[Chunk], first: int, last: int, cues: Sequence[Cue]) -> Iterator[str]:
    """A chunk that holds words of the cue outside its time, or covers its time without any."""
    start_s, end_s = cue.start_s or 0.0, cue.end_s or cue.start_s or 0.0
    for index in range(max(first - 2, 0), min(last + 3, len(chunks))):
        chunk = chunks[index]
        shared_s = min(end_s, chunk.end_s or 0.0) - max(start_s, chunk.start_s or 0.0)
        if first <= index <= last and shared_s < -ROUNDING_S:
            yield f"{cue} stands in chunk {index}, {chunk.start_s} to {chunk.end_s}"
        elif not first <= index <= last and shared_s > ROUNDING_S and not talked_over(cue, cues):
            yield f"{cue} is in the time of chunk {index} but not in its text"


def talked_over(cue: Cue, cues: Sequence[Cue]) -> bool:
    """Whether another cue is said at the same time; then two chunks may cover it."""
    return any(
        other is not cue
        and (other.start_s or 0.0) < (cue.end_s or 0.0) - ROUNDING_S
        and (other.end_s or 0.0) > (cue.start_s or 0.0) + ROUNDING_S
        for other in cues
    )


@pytest.mark.parametrize("folder", EPISODES)
def test_no_cue_of_a_real_episode_is_lost(data_dir: Path, folder: str) -> None:
    count_tokens = OnnxEmbedder().count_tokens
    paths = sorted((data_dir / folder).glob(EPISODES[folder]))
    assert paths
    for path in paths:
        parsed = parse_transcript(path.name, path.read_bytes())
        chunks = chunk_transcript(parsed, count_tokens=count_tokens)
        assert list(lost_cues(parsed.cues, chunks))[:3] == [], path
        assert max(chunk.n_tokens for chunk in chunks) <= 240


def test_a_hundred_episodes_are_looked_at(data_dir: Path) -> None:
    assert sum(len(list((data_dir / folder).glob(glob))) for folder, glob in EPISODES.items()) >= 100


def test_a_lost_or_misplaced_cue_would_be_seen() -> None:
    cues = (Cue("One is here.", 0.0, 2.0), Cue("Two is there.", 2.0, 4.0))
    whole = Chunk(0, "One is here. Two is there.", "", 6, 0.0, 4.0)
    halves = (Chunk(0, "One is here.", "", 3, 0.0, 2.0), Chunk(1, "Two is there.", "", 3, 2.0, 4.0))
    late = (halves[0], Chunk(1, "Two is there.", "", 3, 5.0, 6.0))
    wide = (Chunk(0, "One is here.", "", 3, 0.0, 3.0), halves[1])
    assert list(lost_cues(cues, [whole])) == list(lost_cues(cues, halves)) == []
    assert [list(lost_cues(cues, wrong)) != [] for wrong in (halves[:1], halves[::-1], late, wide)] == [
        True
    ] * 4


def test_documents_lose_nothing_either(data_dir: Path) -> None:
    count_tokens = OnnxEmbedder().count_tokens
    for path in sorted((data_dir / "speech_538_debates").rglob("*.txt"))[:3]:
        parsed: Transcript = parse_transcript(path.name, path.read_bytes())
        chunks = chunk_transcript(parsed, count_tokens=count_tokens)
        said = letters("".join(cue.text for cue in parsed.cues))
        assert letters("".join(chunk.text for chunk in chunks)) == said, path
