"""Citations: who, where, when, and a link that opens there."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.references import link_at_second, short_title, timestamp
from rejoinder.drafting.citations import citation
from rejoinder.ids import ChunkId, SourceId
from rejoinder.research.evidence import Evidence


def evidence(**changes):
    fields = {
        "chunk_id": ChunkId(1),
        "source_id": SourceId(1),
        "source_title": "Language Summit",
        "source_url": "https://example.com/514",
        "quote": "The GIL keeps it safe.",
        "start_s": 1131.7,
        "speaker": None,
        "support": 0.6,
        "verdict": "related",
        "reason": "",
    }
    return Evidence(**{**fields, **changes})


@given(st.integers(min_value=0, max_value=10**6))
def test_a_time_stamp_reads_back(seconds):
    parts = [int(part) for part in timestamp(seconds + 0.9).split(":")]
    assert sum(part * 60**power for power, part in enumerate(reversed(parts))) == seconds
    assert len(parts) == (3 if seconds >= 3600 else 2)


@pytest.mark.parametrize(
    ("changes", "cited"),
    [
        ({}, "Language Summit, 18:51"),
        ({"speaker": "Seth Larson"}, "Seth Larson, Language Summit, 18:51"),
        ({"speaker": "Speaker 1"}, "Language Summit, 18:51"),
        ({"start_s": None}, "Language Summit"),
        ({"start_s": 0.0}, "Language Summit, 0:00"),
    ],
)
def test_citation(changes, cited):
    assert citation(evidence(**changes)) == cited


@given(st.integers(min_value=0, max_value=10**5), st.sampled_from(["", "?a=1&t=7", "#x", "?t=3#y"]))
def test_a_link_carries_its_second_once(seconds, tail):
    link = link_at_second(f"https://example.com/show{tail}", float(seconds))
    assert parse_qs(urlsplit(link).query)["t"] == [str(seconds)]
    assert ("a" in parse_qs(urlsplit(link).query)) == ("a=1" in tail)


@pytest.mark.parametrize(
    "url", [None, "", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://a b.c"]
)
def test_only_web_addresses_become_links(url):
    assert link_at_second(url, 5.0) is None


@given(st.text(max_size=200), st.integers(min_value=2, max_value=80))
def test_a_short_title_is_one_line_and_short(title, limit):
    short = short_title(title, limit)
    assert len(short) <= limit
    assert "\n" not in short
