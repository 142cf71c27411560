"""X's operators: which stand alone, which do not, which only one endpoint knows, and what to write instead."""

import pytest

from rejoinder.listening.rules import query_problems

GOOD = [
    '"X data" has:mentions (has:media OR has:links)',
    "(grumpy cat) OR (#meme has:images)",
    "snow day #NoSchool -is:retweet lang:en",
    "from:someone OR @someone OR $ABC",
    "conversation_id:1334987486343299072 -from:me",
    'url:"https://example.com/a-b" -is:nullcast',
    "point_radius:[2.355128 48.861118 16km] coffee",
    "((a OR b) (c OR d))",
]


@pytest.mark.parametrize("query", GOOD)
def test_what_x_takes_is_taken(query) -> None:
    assert query_problems(query) == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("has:links OR is:retweet", "stand alone"),
        ("cat OR has:links", "in one branch of an OR"),
        ("cat OR -dog", "in one branch of an OR"),
        ("(cat OR is:reply) has:media", "in one branch of an OR"),
        ("cat foo:bar", "foo: is no operator"),
        ("cat bio:developer", "known to the stream only"),
        ('"a b"~5', "known to the stream only"),
        ("cat sample:10", "known to the stream only"),
        ("cat list:12", "known to search only"),
        ("cat embedding:x", "Enterprise"),
        ("cat is:nullcast", "must be negated"),
        ("cat has:cats", "has:cats is unknown: has: takes"),
        ("cat lang:english", "BCP 47"),
        ("from:a-b", "one handle or user id"),
        ("cat from:", "needs a value"),
        ("cat AND dog", "blank means AND"),
        ("cat or dog", "written in capitals"),
        ("coca-cola", '"coca-cola"'),
        ("cat ()", "parentheses is empty"),
        ("(" * 41 + "a" + ")" * 41, "do not match"),
    ],
)
def test_what_x_refuses_is_named_with_what_to_write(query, problem) -> None:
    assert any(problem in found for found in query_problems(query)), query_problems(query)
