"""The samples are what their README says: parsable episodes, 60 posts, the special cases in place."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pysubs2
import pytest
import webvtt

from rejoinder.text.weighted_length import length_limit

SAMPLES = Path(__file__).parents[3] / "resources" / "samples"
VTT = SAMPLES / "episodes" / "composting-without-the-smell.vtt"
SRT = SAMPLES / "episodes" / "what-your-home-really-uses.srt"
WHISPER = SAMPLES / "episodes" / "backups-you-can-restore.json"
NEWEST = datetime(2026, 11, 20, 18, tzinfo=UTC)
KEYS = {
    "platform", "platform_post_id", "community", "author", "author_followers", "text",
    "created_at", "url", "metrics", "mentions", "quotes",
}  # fmt: skip


class Span(NamedTuple):
    start_s: float
    end_s: float
    text: str


def vtt_spans() -> list[Span]:
    return [Span(exact_s(c.start_time), exact_s(c.end_time), c.text) for c in webvtt.read(str(VTT)).captions]


def srt_spans() -> list[Span]:
    return [Span(e.start / 1000, e.end / 1000, e.plaintext) for e in pysubs2.load(str(SRT))]


def whisper_spans() -> list[Span]:
    segments = json.loads(WHISPER.read_text(encoding="utf-8"))["segments"]
    return [Span(s["start"], s["end"], s["text"]) for s in segments]


def sample_posts() -> list[dict[str, Any]]:
    lines = (SAMPLES / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


EPISODES = {"vtt": vtt_spans, "srt": srt_spans, "whisper": whisper_spans}


@pytest.mark.parametrize("name", EPISODES)
def test_an_episode_is_as_long_as_its_words_take_to_say(name: str) -> None:
    spans = EPISODES[name]()
    minutes = spans[-1].end_s / 60
    n_words = sum(len(span.text.split()) for span in spans)
    assert 12 <= minutes <= 18
    assert 1_800 <= n_words <= 2_500
    assert 140 <= n_words / minutes <= 160


@pytest.mark.parametrize("name", EPISODES)
def test_cues_follow_one_another_and_last_two_to_seven_seconds(name: str) -> None:
    spans = EPISODES[name]()
    assert all(2 <= round(span.end_s - span.start_s, 2) <= 7 for span in spans)
    assert all(before.end_s <= after.start_s for before, after in pairwise(spans))
    assert all(span.text.strip() for span in spans)


def test_every_webvtt_cue_has_a_voice() -> None:
    assert {caption.voice for caption in webvtt.read(str(VTT)).captions} == {"Mara", "Tobin", "Ines"}


def test_srt_names_each_of_its_speakers() -> None:
    openings = Counter(span.text.split(":")[0] for span in srt_spans() if ":" in span.text[:7])
    assert set(openings) == {"Mara", "Tobin", "Wen"}


def test_whisper_text_is_the_sum_of_its_segments() -> None:
    episode = json.loads(WHISPER.read_text(encoding="utf-8"))
    assert episode["language"] == "en"
    assert episode["text"] == "".join(segment["text"] for segment in episode["segments"])
    assert [segment["id"] for segment in episode["segments"]] == list(range(len(episode["segments"])))


def test_sixty_lines_hold_fifty_nine_posts() -> None:
    posts = sample_posts()
    ids = Counter((post["platform"], post["platform_post_id"]) for post in posts)
    assert len(posts) == 60
    assert sorted(ids.values()) == [1] * 58 + [2]
    assert Counter(post["platform"] for post in posts) == {"x": 30, "reddit": 30}
    assert all(set(post) == KEYS for post in posts)


def test_the_post_heard_twice_differs_only_in_its_counts() -> None:
    heard: dict[str, list[dict[str, Any]]] = {}
    for post in sample_posts():
        heard.setdefault(post["platform_post_id"], []).append(post)
    first, second = next(both for both in heard.values() if len(both) == 2)
    assert first["metrics"] != second["metrics"]
    assert first | {"metrics": {}} == second | {"metrics": {}}


@pytest.mark.parametrize("post", sample_posts(), ids=lambda post: str(post["platform_post_id"]))
def test_a_post_has_its_platforms_shape(post: dict[str, Any]) -> None:
    created_at = datetime.fromisoformat(post["created_at"])
    assert NEWEST - timedelta(days=6) <= created_at < NEWEST
    limit, measure = length_limit(post["platform"])
    assert measure(post["text"]) <= limit
    assert all(isinstance(count, int) and count >= 0 for count in post["metrics"].values())
    assert post["mentions"] == (["rejoinder_demo"] if "@rejoinder_demo" in post["text"] else [])
    if post["platform"] == "x":
        assert len(post["platform_post_id"]) == 19
        assert post["platform_post_id"].isdigit()
        assert timedelta(0) <= x_time(post["platform_post_id"]) - created_at < timedelta(seconds=1)
    else:
        assert int(post["platform_post_id"].removeprefix("t3_"), 36) > 0
        assert post["community"].startswith("sample_")


def test_nobody_and_no_address_is_real() -> None:
    posts = sample_posts()
    assert all(post["author"] is None or post["author"].startswith("sample_") for post in posts)
    assert all(post["url"].split("/")[2].endswith(".example") for post in posts)


def test_the_special_cases_are_there() -> None:
    posts = sample_posts()
    texts = [post["text"] for post in posts]
    assert sum(not any(c.isalnum() for c in text) for text in texts) == 2
    assert sum(text.startswith("https://") and " " not in text for text in texts) == 1
    assert sum("\u0600" <= text[0] <= "\u06ff" for text in texts) == 1
    assert [len(text) for text in texts if len(text) > 1_000] == [10_000]
    assert sum("ignore all instructions" in text for text in texts) == 1
    assert sum(post["author"] is None for post in posts) == 1
    # Seven answerable posts, one of them heard twice, and the injection.
    assert sum(bool(post["mentions"]) for post in posts) == 9


def exact_s(time: webvtt.models.Timestamp) -> float:
    """Seconds with their fraction, which webvtt-py's own ``in_seconds`` leaves out."""
    return float(time.in_seconds() + time.milliseconds / 1000)


def x_time(post_id: str) -> datetime:
    """The time inside an X id (the "snowflake" form: milliseconds since X's own epoch, then 22 bits)."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + 1_288_834_974_657) / 1000, tz=UTC)
