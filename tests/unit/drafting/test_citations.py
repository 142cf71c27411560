"""Citations: who, where, when, and a link that opens there."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.references import short_title, timestamp
from rejoinder.drafting.citations import LONGEST_LINK, addresses, citation, citation_address, may_be_linked
from rejoinder.drafting.extractive import draft_reply
from rejoinder.drafting.strategies import STRATEGY_NAMES
from rejoinder.ids import ChunkId, SourceId
from rejoinder.listening.post import Post
from rejoinder.research.evidence import Evidence
from rejoinder.text.links import find_links


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


PRIVATE = [
    None,
    "",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://localhost:8700/1",
    "http://nas/1",
    "https://nas.local/1",
    "http://10.0.0.7/1",
    "http://[::1]/1",
    "https://ann:pw@pod.example/1",
    "https://pod.example/1?token=abc",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_what_not_everybody_can_open_is_cited_without_an_address(url):
    assert citation_address(evidence(source_url=url)) is None


def test_an_episode_is_linked_at_its_second_and_a_page_at_its_words():
    assert citation_address(evidence()) == "https://example.com/514#t=1131"
    page = citation_address(evidence(start_s=None))
    assert page == "https://example.com/514#:~:text=The%20GIL%20keeps%20it%20safe."


def test_an_address_that_would_leave_no_room_for_the_quote_is_not_linked():
    longest = "https://example.com/" + "a" * (LONGEST_LINK - len("https://example.com/#t=1131"))
    assert citation_address(evidence(source_url=longest)) == f"{longest}#t=1131"
    assert citation_address(evidence(source_url=longest + "a")) is None
    # As Markdown writes it.
    assert citation_address(evidence(source_url=longest[:-1] + "(")) is None


def test_a_tracked_address_takes_the_place_of_its_own_target_only():
    instead = {"https://example.com/514#t=1131": "https://go.example/l/abc"}
    pieces = [evidence(), evidence(start_s=7.0), evidence(source_url=None)]
    assert addresses(pieces, instead) == ("https://go.example/l/abc", "https://example.com/514#t=7", None)


@given(st.text(max_size=200), st.integers(min_value=2, max_value=80))
def test_a_short_title_is_one_line_and_short(title, limit):
    short = short_title(title, limit)
    assert len(short) <= limit
    assert "\n" not in short


OPEN, SHUT = {}, {"source_url": None}
NAMED = {"quote": "You will find it all at python.org, and more."}
SPELLED = {"quote": "It is at https://peps.python.org/pep-0703/ for all to read."}
HOSTED = {"source_title": "Syntax.fm 673"}


@pytest.mark.parametrize(
    ("pieces", "platform", "drafted", "is_offline", "is_by_model"),
    [
        ([OPEN], "x", ["own"], True, True),
        ([OPEN], "reddit", ["own"], True, True),
        ([SHUT], "x", [], False, False),
        ([SHUT], "reddit", [], False, False),
        # The offline drafter quotes the best piece, a model any.
        ([SHUT, OPEN], "x", [], False, True),
        ([SHUT, OPEN], "reddit", [], False, True),
        ([OPEN, SHUT], "x", ["own"], True, True),
        # Words with an address get no second one.
        ([NAMED], "x", ["other"], False, False),
        ([NAMED], "reddit", ["other"], False, False),
        ([SPELLED], "x", ["other"], False, False),
        ([NAMED, OPEN], "x", ["other"], False, True),
        ([{**NAMED, **SHUT}], "x", ["other"], False, False),
        ([OPEN, NAMED], "x", ["own"], True, True),
        # X makes a link of a title that reads as one; elsewhere the link stands on it.
        ([HOSTED], "x", ["other"], False, False),
        ([HOSTED], "reddit", ["other", "own"], True, True),
    ],
)
def test_a_link_is_proposed_where_the_draft_will_have_it_and_only_one(
    pieces, platform, drafted, is_offline, is_by_model
):
    found = [evidence(**piece) for piece in pieces]
    assert may_be_linked(found, platform, is_written=False) is is_offline
    assert may_be_linked(found, platform, is_written=True) is is_by_model
    post = Post(platform, "t3_1", "Is it safe?", datetime(2026, 1, 1, tzinfo=UTC))
    for allow_links in (True, False):
        text = draft_reply(post, found, STRATEGY_NAMES[0], allow_links=allow_links).text
        links = [text[start:end] for start, end in find_links(text)]
        kinds = ["own" if link.startswith("https://example.com/514") else "other" for link in links]
        assert kinds == [kind for kind in drafted if allow_links or kind == "other"], text
