"""Listening rules: from a corpus's keywords to X search queries and Reddit communities.

What belongs here: the grammar of a rule and the limits a platform puts on it; the operators themselves are in
`operators`. Sending rules to a platform belongs in resources.platforms.

Source of the grammar and the limits: docs.x.com, "Build a rule", "Filtered stream" and "Recent search" (read
2026-11): a space means AND and binds before OR, parentheses group, ``-`` negates one operator but never a group,
what stands alone must stand in every branch of an OR. The stream takes 1,000 rules of 1,024 characters, recent
search 512 characters on self-serve access. A rule is both, since search closes the stream's gaps: the lower of the
two limits holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import sha256_hex
from rejoinder.listening.grammatical_number import other_number
from rejoinder.listening.operators import read_term, stands_alone, term_problems
from rejoinder.listening.post import Platform

# Recent search, on self-serve access.
MAX_QUERY_CHARS = 512
# The filtered stream.
MAX_RULE_CHARS = 1024
MAX_RULES = 1000
MAX_KEYWORD_CHARS = 100
MENTIONS, KEYWORDS = "mentions:", "keywords:"
DEEPEST = 40
# Which names an account may have; on a platform of another package, whatever is one word of a query.
HANDLES: Mapping[Platform, tuple[re.Pattern[str], str]] = {
    "x": (re.compile(r"[A-Za-z0-9_]{1,15}"), "an X handle: 1 to 15 letters, digits or underscores"),
    "reddit": (
        re.compile(r"[A-Za-z0-9_-]{3,20}"),
        "a name on Reddit: 3 to 20 letters, digits, underscores or hyphens",
    ),
}
ANY_HANDLE = (re.compile(r'[^\s()"]{1,100}'), "a handle: one word without quotation marks or parentheses")
TOKEN = re.compile(r'-?(?:[A-Za-z_]+:)?"[^"]*"(?:~\d+)?|-?[A-Za-z_]+:\[[^\]]*\]|-?\(|\)|[^\s()"]+')


@dataclass(frozen=True, slots=True)
class ListeningRule:
    """One thing to listen for.

    tag is never empty (X delivers untagged matches without a tag, which stops some clients) and is
    derived from the query, so the same rule has the same tag on every machine. x_query is at most
    512 characters. communities are names without ``r/``; empty where the rule is for X only.
    """

    tag: str
    x_query: str
    communities: tuple[str, ...] = ()


def rules_from_keywords(
    keywords: Iterable[str],
    *,
    account: str,
    platform: Platform = "x",
    communities: Sequence[str] = (),
    company: Mapping[str, Sequence[str]] | None = None,
) -> list[ListeningRule]:
    """Turn keywords into as few X rules as fit, and one rule for mentions of the account.

    Other platforms' adapters translate the queries. X compares whole words, so each keyword is listened for in the
    singular and in the plural.

    Args:
        keywords: words or phrases, most important first; quotes and repeats (case apart) are dropped.
        account: our handle on the platform, with or without ``@``; its own posts are left out.
        platform: where the rules are for.
        company: for keywords that say too little alone, phrases of which a post must have one as well.
        communities: communities to follow on Reddit, the same for each keyword rule.

    Returns:
        The mention rule first, then the keyword rules in the keywords' order; on X every rule is valid.

    Raises:
        ConfigInvalid: the account is no handle of the platform or a keyword is over 100 characters.

    >>> for rule in rules_from_keywords(["phone charger", "CPython"], account="@talkpython"):
    ...     print(rule.x_query)
    @talkpython -from:talkpython -is:retweet
    ("phone charger" OR "phone chargers" OR "CPython") -from:talkpython -is:retweet
    """
    handle = account.removeprefix("@")
    form, words = HANDLES.get(platform, ANY_HANDLE)
    if not form.fullmatch(handle):
        raise ConfigInvalid(f"{account!r} is not {words}")
    tail = f" -from:{handle} -is:retweet"
    queries = [
        f"({group}){tail}"
        for group in _or_groups(_phrases(keywords, company or {}), MAX_QUERY_CHARS - len(tail) - 2)
    ]
    rules = [ListeningRule(f"{MENTIONS}{handle.lower()}", f"@{handle}{tail}")]
    rules += [ListeningRule(_tag(query), query, tuple(communities)) for query in queries]
    for rule in rules if platform == "x" else ():
        validate_rule(rule)
    return rules


def is_ours(tag: str) -> bool:
    """Whether a tag at a platform is one that we give: a rule with any other is another program's.

    >>> is_ours("keywords:0123456789ab"), is_ours("brand watch"), is_ours("")
    (True, False, False)
    """
    return tag.startswith((MENTIONS, KEYWORDS))


def validate_rule(rule: ListeningRule) -> None:
    """Check a rule, hand-written ones too, against X's grammar and limits.

    Raises:
        ConfigInvalid: with every problem found, one sentence each.
    """
    problems = [] if rule.tag.strip() else ["the rule has no tag"]
    problems += query_problems(rule.x_query)
    if problems:
        raise ConfigInvalid(f"listening rule {rule.tag!r}: " + "; ".join(problems))


def query_problems(query: str) -> list[str]:
    """Say what is wrong with an X query; empty when nothing is.

    >>> query_problems('"a" OR')
    ['OR needs a term on both sides']
    >>> query_problems('-is:retweet')
    ['no term that may stand alone: add a keyword, a phrase or a mention']
    """
    if not query.strip():
        return ["the query is empty"]
    problems = []
    if len(query) > MAX_QUERY_CHARS:
        problems.append(
            f"the query has {len(query)} characters, {MAX_QUERY_CHARS} are allowed: the stream takes"
            f" {MAX_RULE_CHARS}, but recent search, which closes its gaps, {MAX_QUERY_CHARS}; split it into two rules"
        )
    if query.count('"') % 2:
        return [*problems, "a quotation mark is not closed"]
    tokens = TOKEN.findall(query)
    return problems + list(_token_problems(tokens))


def rule_set_problems(rules: Sequence[ListeningRule]) -> list[str]:
    """What is wrong with the rules of one stream together; empty when nothing is.

    >>> rule_set_problems([ListeningRule("a", "python"), ListeningRule("b", "python")])
    ['the rules a and b have the same query: keep one']
    """
    problems = []
    if len(rules) > MAX_RULES:
        problems.append(f"there are {len(rules)} rules, X's stream takes {MAX_RULES}: join some with OR")
    tags: dict[str, str] = {}
    for rule in rules:
        if rule.x_query in tags:
            problems.append(f"the rules {tags[rule.x_query]} and {rule.tag} have the same query: keep one")
        tags.setdefault(rule.x_query, rule.tag)
    return problems


def _token_problems(tokens: Sequence[str]) -> Iterator[str]:
    if "-(" in tokens:
        yield "a group cannot be negated, negate its terms one by one"
    is_whole = _balanced(tokens)
    if not is_whole:
        yield "the parentheses do not match"
    if '""' in tokens or '-""' in tokens:
        yield "a quoted phrase is empty"
    hangs = any(_hangs(tokens, i) for i, term in enumerate(tokens) if term == "OR")
    if hangs:
        yield "OR needs a term on both sides"
    terms = [token for token in tokens if token not in ("(", "-(", ")", "OR", '""', '-""')]
    for token in dict.fromkeys(terms):
        yield from term_problems(token)
    if not any(stands_alone(read_term(token)) for token in terms):
        yield "no term that may stand alone: add a keyword, a phrase or a mention"
    elif is_whole and not hangs:
        yield from _branch_problems(tokens)


def _branch_problems(tokens: Sequence[str]) -> Iterator[str]:
    if any(pair == ("(", ")") for pair in pairwise(tokens)):
        yield "a pair of parentheses is empty"
    elif not _any_branch([token.replace("-(", "(") for token in tokens], 0)[0]:
        yield "no term that may stand alone in one branch of an OR: add a keyword, a phrase or a mention to each"


def _any_branch(tokens: Sequence[str], at: int) -> tuple[bool, int]:
    """Whether every branch from a place on has a term that stands alone, and where the group ends."""
    branches = [False]
    while at < len(tokens) and tokens[at] != ")":
        if tokens[at] == "(":
            has_one, at = _any_branch(tokens, at + 1)
            branches[-1] |= has_one
        elif tokens[at] == "OR":
            branches.append(False)
        else:
            branches[-1] |= tokens[at] not in ('""', '-""') and stands_alone(read_term(tokens[at]))
        at += 1
    return all(branches), at


def _balanced(tokens: Sequence[str]) -> bool:
    depth = 0
    for term in tokens:
        depth += (term in ("(", "-(")) - (term == ")")
        if not 0 <= depth <= DEEPEST:
            return False
    return depth == 0


def _hangs(tokens: Sequence[str], i: int) -> bool:
    before = tokens[i - 1] if i else "("
    after = tokens[i + 1] if i + 1 < len(tokens) else ")"
    return before in ("(", "-(", "OR") or after in (")", "OR")


def _phrases(keywords: Iterable[str], company: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each keyword as a term of a query, once, with its company."""
    seen: set[str] = set()
    for keyword in keywords:
        forms = [form for form in _forms(keyword) if form.casefold() not in seen]
        seen.update(form.casefold() for form in forms)
        beside = dict.fromkeys(form for term in company.get(keyword, ()) for form in _forms(term)[:1])
        if forms and beside:
            yield f"({_any_of(forms)} {_any_of(list(beside))})"
        else:
            yield from map(_quoted, forms)


def _forms(keyword: str) -> list[str]:
    """The keyword without quotation marks, in its own number and the other; empty where no letter is left."""
    phrase = " ".join(re.sub(r'["“”„«»\\]', " ", keyword).split())
    if len(phrase) > MAX_KEYWORD_CHARS:
        raise ConfigInvalid(f"keyword over {MAX_KEYWORD_CHARS} characters: {phrase[:40]!r}...")
    return [form for form in (phrase, *other_number(phrase)) if any(map(str.isalnum, form))]


def _any_of(phrases: Sequence[str]) -> str:
    return _quoted(phrases[0]) if len(phrases) == 1 else f"({' OR '.join(map(_quoted, phrases))})"


def _quoted(phrase: str) -> str:
    return f'"{phrase}"'


def _or_groups(phrases: Iterable[str], room: int) -> Iterator[str]:
    group = ""
    for phrase in phrases:
        longer = f"{group} OR {phrase}" if group else phrase
        if len(longer) > room:
            yield group
            longer = phrase
        group = longer
    if group:
        yield group


def _tag(query: str) -> str:
    return f"{KEYWORDS}{sha256_hex(query)[:12]}"
