"""How well the claims found in a post are those that are in it: overlap of spans."""

from collections.abc import Sequence
from typing import NamedTuple

from rejoinder.evaluation.cases import ClaimCase
from rejoinder.evaluation.scores import Scored

# Of an expected claim so much has to be found before its kind is compared.
SAME_CLAIM = 0.5


class GivenClaim(NamedTuple):
    """A claim that was found, as its finder wrote it."""

    text: str
    kind: str


def score_claims(case: ClaimCase, given: Sequence[GivenClaim]) -> Scored:
    """F1 over the letters and digits that the expected and the given spans cover.

    Of a post without claims nothing found scores 1, anything 0. What stands nowhere in the post counts as found in
    vain. Checks: ``precision`` (where something was given), ``recall`` and ``kind`` (where something was expected, or
    found), ``verbatim``: share of the given texts that stand in the post word for word.
    """
    wanted = set().union(*(_letters(case.post, c.text) for c in case.claims))
    found = [_letters(case.post, one.text) for one in given]
    vain = sum(len(_solid(one.text)) for one, at in zip(given, found, strict=True) if not at)
    covered = set().union(*found)
    hits, n_given = len(wanted & covered), len(covered) + vain
    score = 2 * hits / (len(wanted) + n_given) if wanted or n_given else 1.0
    checks = {}
    if n_given:
        checks = {"precision": hits / n_given, "verbatim": sum(map(bool, found)) / len(found)}
    if wanted:
        checks["recall"] = hits / len(wanted)
    kinds = _kinds(case, given, found)
    if kinds:
        checks["kind"] = sum(kinds) / len(kinds)
    return Scored(score, checks, tuple(_faults(case, given, wanted, covered, found)))


def _kinds(case: ClaimCase, given: Sequence[GivenClaim], found: Sequence[set[int]]) -> list[bool]:
    """Whether the kind is right, for each expected claim of which enough was found."""
    right = []
    for expected in case.claims:
        at = _letters(case.post, expected.text)
        kinds = [
            one.kind
            for one, there in zip(given, found, strict=True)
            if len(at & there) >= SAME_CLAIM * len(at)
        ]
        if kinds:
            right.append(expected.kind in kinds)
    return right


def _faults(
    case: ClaimCase,
    given: Sequence[GivenClaim],
    wanted: set[int],
    covered: set[int],
    found: Sequence[set[int]],
) -> list[str]:
    missed = [c.text for c in case.claims if not _letters(case.post, c.text) & covered]
    vain = [one.text for one, at in zip(given, found, strict=True) if at and not at & wanted]
    foreign = [one.text for one, at in zip(given, found, strict=True) if not at]
    told = (("missed", missed), ("no claim", vain), ("not in the post", foreign))
    return [f"{what}: {text[:80]}" for what, texts in told for text in texts]


def _letters(post: str, text: str) -> set[int]:
    """Offsets of the letters and digits of every place where the text stands; white space may differ."""
    solid, places = _solid(text), [i for i, c in enumerate(post) if c.isalnum()]
    whole = "".join(post[i] for i in places)
    if not solid:
        return set()
    at = whole.find(solid)
    found: set[int] = set()
    while at >= 0:
        found.update(places[at : at + len(solid)])
        at = whole.find(solid, at + 1)
    return found


def _solid(text: str) -> str:
    return "".join(filter(str.isalnum, text))
