"""The sandbox's query language: what it understands, what it refuses, and that nothing makes it crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.sandbox.posts import SandboxPost
from resources.sandbox.x_match import is_summoned, matchable, matches
from resources.sandbox.x_query import QueryInvalid, parse_query

POST = SandboxPost(
    platform="x",
    id="7",
    text="Is asyncio really faster than threads? Déjà vu, @TalkPython: https://example.com/a #Python",
    created_at=0.0,
    author="Reader_1",
    parent_id="5",
    conversation_id="3",
    mentions=("someone",),
    quotes="Rejoinder",
)
PIECES = st.sampled_from(
    [
        "asyncio",
        "OR",
        "(",
        ")",
        "-",
        '"',
        '"a b"',
        " ",
        "-is:reply",
        "from:",
        "@x",
        "#",
        "é",
        "lang:en",
        "url:",
        ":",
    ]
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("asyncio", True),
        ("ASYNCIO threads", True),
        ("asyncio goroutines", False),
        ("goroutines OR asyncio", True),
        ("asyncio goroutines OR threads", True),
        ("asyncio (goroutines OR channels)", False),
        ('"faster than threads"', True),
        ('"threads faster"', False),
        ("async", False),
        ("asyncio -threads", False),
        ("asyncio -goroutines", True),
        ('asyncio -"faster than"', False),
        ("deja", True),
        ("from:reader_1", True),
        ("from:reader_2", False),
        ("@talkpython", True),
        ("@someone", True),
        ("@talk", False),
        ("#python", True),
        ("python", True),
        ("conversation_id:3", True),
        ("conversation_id:5", False),
        ("asyncio is:reply", True),
        ("asyncio -is:reply", False),
        ("asyncio is:quote -is:retweet", True),
        ("asyncio has:links has:mentions has:hashtags -has:media", True),
        ("url:example.com", True),
        ('url:"example.com"', True),
        ("asyncio lang:en", True),
        ("((asyncio))", True),
    ],
)
def test_query_matches_as_x_would(query: str, expected: bool) -> None:
    assert matches(parse_query(query), matchable(POST), fold_accents=True) is expected


def test_a_language_leaves_out_posts_that_say_another_one() -> None:
    query = parse_query("asyncio lang:EN")
    found = [
        matches(query, matchable(POST)._replace(lang=lang), fold_accents=True) for lang in ("en", "de", None)
    ]
    assert found == [True, False, True]


def test_stream_does_not_fold_accents() -> None:
    assert not matches(parse_query("deja"), matchable(POST), fold_accents=False)
    assert matches(parse_query("DÉJÀ"), matchable(POST), fold_accents=False)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "  ",
        "(",
        ")",
        "asyncio )",
        "(asyncio",
        "asyncio OR",
        "OR asyncio",
        "()",
        "-(a b)",
        '"',
        '""',
        'asyncio "open',
        "is:reply",
        "-asyncio",
        "asyncio OR is:reply",
        "lang:en",
        "asyncio and threads",
        "asyncio or threads",
        "colour:red",
        "from:",
        "is:nice x",
        "(" * 2000 + "a" + ")" * 2000,
    ],
)
def test_bad_query_is_refused(query: str) -> None:
    with pytest.raises(QueryInvalid):
        parse_query(query)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=30).map("".join)), st.text(max_size=40))
def test_parsing_and_matching_never_crash(query: str, text: str) -> None:
    try:
        node = parse_query(query)
    except QueryInvalid:
        return
    post = SandboxPost(platform="x", id="1", text=text, created_at=0.0, conversation_id="1")
    assert matches(node, matchable(post), fold_accents=True) in (True, False)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=5), min_size=1, max_size=6))
def test_words_of_a_text_find_it(words: list[str]) -> None:
    post = SandboxPost(platform="x", id="1", text=" ".join(words), created_at=0.0, conversation_id="1")
    query = " ".join(f'"{word}"' for word in words)
    assert matches(parse_query(query), matchable(post), fold_accents=True)
    assert matches(parse_query(f'"{" ".join(words)}"'), matchable(post), fold_accents=False)


@pytest.mark.parametrize(
    ("account", "expected"),
    [("talkpython", True), ("SomeOne", True), ("rejoinder", True), ("reader_1", True), ("stranger", False)],
)
def test_who_is_summoned(account: str, expected: bool) -> None:
    assert is_summoned(matchable(POST), account) is expected
