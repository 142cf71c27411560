"""How much of what matters in a passage a summary has, and what it made up."""

from rejoinder.evaluation.cases import SummaryCase
from rejoinder.evaluation.matching import invented_figures, invented_names, says
from rejoinder.evaluation.scores import Scored

# What a summary keeps of its score where it made something up, and where it is too long.
KEPT_WITH_FAULT = 0.5


def score_summary(case: SummaryCase, given: str) -> Scored:
    """Share of the required facts, halved where something is invented and halved where it is too long.

    Invented is a figure or a name that neither passage nor title has, and what the case says must not be said.
    Checks: ``facts``, ``nothing_invented``, ``length``.
    """
    language, sources = case.language, [case.title, *case.passage]
    missing = [fact for fact in case.facts if not says(given, fact, language=language)]
    invented = [
        *invented_figures(given, sources, language),
        *invented_names(given, sources, language),
        *(wrong for wrong in case.must_not_say if says(given, [wrong], language=language)),
    ]
    n_words = len(given.split())
    facts, fits = 1 - len(missing) / len(case.facts), n_words <= case.max_words
    score = facts * (KEPT_WITH_FAULT if invented else 1.0) * (1.0 if fits else KEPT_WITH_FAULT)
    faults = [f"missing: {fact[0]}" for fact in missing] + [f"invented: {one}" for one in invented]
    faults += [] if fits else [f"{n_words} words, {case.max_words} are allowed"]
    checks = {"facts": facts, "nothing_invented": float(not invented), "length": float(fits)}
    return Scored(score, checks, tuple(faults))
