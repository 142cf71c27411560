"""Which keywords are listened for, and which only in the company of another."""

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.company import (
    MOST_COMPANY,
    CorpusTerm,
    Subject,
    company_of,
    needs_company,
    subject_first,
    worth_listening,
)
from rejoinder.listening.rules import MAX_QUERY_CHARS, query_problems, rules_from_keywords
from resources.sandbox.x_match import Matchable, matches
from resources.sandbox.x_query import parse_query

SUBJECT = Subject(20, 0.2)


def term(text: str, *sources: int) -> CorpusTerm:
    return CorpusTerm(text, frozenset(sources or (1,)))


def chosen(*terms: CorpusTerm, limit: int = 60) -> list[str]:
    return [one.term for one in worth_listening(terms, limit=limit, subject=SUBJECT)]


def test_a_longer_phrase_says_nothing_that_a_shorter_one_does_not() -> None:
    assert chosen(term("heat pump"), term("air heat pumps"), term("heat")) == ["heat pump", "heat"]
    assert chosen(term("Django"), term("Django projects")) == ["Django", "Django projects"]


def test_nothing_is_listened_for_twice_in_another_number_or_case() -> None:
    assert chosen(term("heat pumps"), term("Heat pump"), term("LLM"), term("LLMs")) == ["heat pumps", "LLM"]
    assert chosen(*(term(f"term {i}") for i in range(9)), limit=4) == [f"term {i}" for i in range(4)]


def test_company_comes_from_the_same_sources_and_the_most_shared_first() -> None:
    known = [term("Muse"), term("ink pen"), term("Muse app"), term("Redis", 2), term("tablet", 1, 2)]
    assert company_of([known[0]], known, subject=SUBJECT) == {"Muse": ("tablet", "ink pen")}
    assert company_of([term("Solo", 9)], known, subject=SUBJECT) == {}
    many = [term("Muse"), *(term(f"pen number {i}") for i in range(20))]
    assert len(company_of(many, many, subject=SUBJECT)["Muse"]) == MOST_COMPANY


def test_what_the_corpus_is_about_comes_first_and_stands_alone() -> None:
    python, muse = term("Python", 1, 2, 3, 4), term("Muse", 1)
    assert subject_first([muse, term("heat pump", 1, 2, 3, 4), python], SUBJECT)[0] == python
    assert not needs_company(python, SUBJECT) and needs_company(muse, SUBJECT)
    assert worth_listening([python, term("Python code")], limit=9, subject=SUBJECT) == [python]


def test_one_source_alone_has_no_subject_unless_every_name_is_one() -> None:
    assert needs_company(term("Muse"), Subject(1, 0.2)) and not needs_company(term("Muse"), Subject(1, 0))
    assert needs_company(term("Python", 1, 2, 3), SUBJECT)


def test_a_keyword_with_company_is_found_only_with_it() -> None:
    rules = rules_from_keywords(["Muse", "ink pen"], account="me", company={"Muse": ("tablet", "ink pen")})
    assert rules[1].x_query == (
        '(("Muse" ("tablet" OR "ink pen")) OR "ink pen" OR "ink pens") -from:me -is:retweet'
    )
    query = parse_query(rules[1].x_query)

    def is_found(text: str) -> bool:
        post = Matchable(1, text, None, "[]", None, None, "1")
        return matches(query, post, fold_accents=True)

    assert is_found("Muse on a tablet") and is_found("an ink pen")
    assert not is_found("Muse are on tour") and not is_found("a tablet")


def test_the_longest_company_fits_into_a_query() -> None:
    known = [term("W" + "w" * 23 + "W"), *(term(f"{i}{'x' * 38}s") for i in range(9)), term("y" * 99)]
    rules = rules_from_keywords(
        [known[0].term], account="a" * 15, company=company_of(known, known, subject=SUBJECT)
    )
    assert len(rules) == 2


TERMS = st.builds(CorpusTerm, st.text(max_size=60), st.frozensets(st.integers(1, 4), min_size=1))


@given(st.lists(TERMS, max_size=40))
def test_any_terms_give_valid_rules(terms: list[CorpusTerm]) -> None:
    listened = worth_listening(terms, limit=30, subject=SUBJECT)
    company = company_of(listened, terms, subject=SUBJECT)
    for rule in rules_from_keywords([one.term for one in listened], account="me", company=company):
        assert len(rule.x_query) <= MAX_QUERY_CHARS and query_problems(rule.x_query) == []
