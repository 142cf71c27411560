"""The index of stream rules finds what trying every rule finds; texts made for rules match them."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from resources.sandbox.posts import SandboxPost
from resources.sandbox.reads import Reads
from resources.sandbox.state import State
from resources.sandbox.x_counts import bucket_edges
from resources.sandbox.x_flow_texts import texts_for
from resources.sandbox.x_match import matchable, matches
from resources.sandbox.x_query import QueryInvalid, parse_query
from resources.sandbox.x_rule_index import RuleIndex, build_index

WORDS = st.sampled_from(["asyncio", "Threads", "déjà", '"event loop"', "🙂", "@alice", "#python", "from:bob"])
TERMS = st.one_of(WORDS, WORDS.map(lambda word: f"-{word}"), st.sampled_from(["is:reply", "-is:retweet"]))
GROUPS = st.lists(TERMS, min_size=1, max_size=3).map(" ".join)
QUERIES = st.lists(GROUPS, min_size=1, max_size=3).map(
    lambda groups: " OR ".join(f"({one})" for one in groups)
)
TEXTS = st.lists(
    st.sampled_from(
        ["ASYNCIO", "threads", "déjà", "deja", "the event loop", "🙂", "@Alice", "#Python", "RT @x:"]
    ),
    max_size=5,
).map(" ".join)


def index_of(queries: list[str]) -> RuleIndex:
    rules = []
    for place, query in enumerate(queries):
        try:
            rules.append(({"id": str(place)}, parse_query(query)))
        except QueryInvalid:
            continue
    return build_index(rules)


@given(st.lists(QUERIES, max_size=6), TEXTS, st.sampled_from([None, "bob", "carol"]))
def test_index_finds_what_trying_all_finds(queries: list[str], text: str, author: str | None) -> None:
    index, post = index_of(queries), matchable(SandboxPost("x", "1", text, 1.0, author=author))
    tried = [shown for shown, node in index.rules if matches(node, post, fold_accents=False)]
    assert index.matching(post) == tried


@given(st.lists(st.sampled_from(["asyncio", '"event loop"', "@alice", "#python"]), min_size=1, max_size=4))
def test_texts_made_for_a_rule_match_it(words: list[str]) -> None:
    node = parse_query(" OR ".join(words))
    texts = texts_for([node])
    assert len(texts) == len(words)
    for text in texts:
        post = matchable(SandboxPost("x", "1", text.replace("{n}", "7"), 1.0))
        assert matches(node, post, fold_accents=False)


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.sampled_from([60.0, 3600.0, 86400.0]))
def test_stretches_of_counts_meet_and_cover(start: float, length: float, step: float) -> None:
    edges = bucket_edges(start, start + length, step)
    assert edges[0] == start and edges[-1] == start + length
    assert all(0 < later - earlier <= step for earlier, later in pairwise(edges))


def test_reads_count_once_a_day_and_survive_a_restart(tmp_path: Path) -> None:
    state, moments = State(tmp_path / "s.db"), iter(range(0, 1000, 10))
    reads, day = Reads(lambda: next(moments)), 86_400.0
    reads.add(state, 0.0, [1, 2, 2])
    reads.add(state, 10.0, [2, 3])
    assert reads.day(state, 0) == 3
    reads.add(state, day, [1])
    assert (reads.day(state, 0), reads.day(state, 1), reads.month(state, day)) == (3, 1, 4)
    reads.flush(state)
    assert Reads().month(state, day) == 4
    assert reads.month(state, 40 * day) == 0
    state.close()
