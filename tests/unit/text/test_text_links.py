"""Links against twitter-text's extraction suite, and texts made to slow the search down."""

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.links import find_links, top_level_domains, without_links

SUITE = Path(__file__).parents[4] / "shared/data/x_twitter_text_conformance/extract.yml"
SECTIONS = ("urls", "urls_with_directional_markers", "urls_with_indices", "tco_urls_with_params")


def cases() -> list[dict[str, object]]:
    if not SUITE.exists():
        return []
    sections = yaml.safe_load(SUITE.read_text(encoding="utf-8"))["tests"]
    return [case for name in SECTIONS for case in sections[name]]


@pytest.mark.skipif(not SUITE.exists(), reason="the twitter-text suite is not here")
@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["description"])[:60])
def test_twitter_text_extraction_suite(case: dict[str, object]) -> None:
    text, expected = str(case["text"]), case["expected"]
    assert isinstance(expected, list)
    wanted = [row["url"] if isinstance(row, dict) else row for row in expected]
    assert [text[start:end] for start, end in find_links(text)] == wanted


def test_links_taken_out_leave_the_rest() -> None:
    assert without_links("a https://x.com/b c").split() == ["a", "c"]
    assert without_links("nothing here") == "nothing here"


def test_top_level_domains_are_those_of_today() -> None:
    assert {"com", "dev", "de", "рф", "xn--p1ai"} <= top_level_domains()
    assert "invalidtld" not in top_level_domains()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["a.", "a-", "あ", "a.com/(", "(!", "http://", "@a.com ", "-.a.com", "..com "]
)
def test_hostile_repetition_ends(unit: str) -> None:
    assert isinstance(find_links("http://a.com/" + unit * (10_000 // len(unit)) + ".com"), list)


@given(st.text(alphabet="ab.:/@-_?=#()あ ctomhps\u202a", max_size=120))
def test_spans_are_in_order_and_apart(text: str) -> None:
    links = find_links(text)
    assert all(link.start < link.end <= len(text) for link in links)
    assert all(before.end <= after.start for before, after in itertools.pairwise(links))
