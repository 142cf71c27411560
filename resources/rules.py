"""Listening rules of every channel, kept in step with the corpus's keywords."""

from collections.abc import Mapping

from rejoinder.listening.company import (
    CorpusTerm,
    Subject,
    company_of,
    needs_company,
    subject_first,
    worth_listening,
)
from rejoinder.listening.rules import rules_from_keywords
from rejoinder.triage.features import KEYWORDS_LISTENED_FOR
from resources.postgres import Database
from resources.store.channels import enabled_channels
from resources.workbench import Workbench

# So many are looked at for each that is listened for: the rest says the same in other words, or keeps company.
_LOOKED_AT = 3


def refresh_rules(bench: Workbench) -> dict[str, int]:
    """Write the rules of each enabled channel anew; how many each has."""
    words, company = listened_terms(bench.db, subject_share=bench.tuning.listening.subject_share)
    counts = {}
    with bench.db.transaction() as tx:
        for channel in enabled_channels(tx):
            rules = rules_from_keywords(
                words,
                account=channel.account,
                platform=channel.platform,
                communities=channel.communities,
                company=company,
            )
            for rule in rules:
                tx.execute("upsert_listening_rule", channel_id=channel.id, tag=rule.tag, query=rule.x_query)
            tx.execute("retire_listening_rules", channel_id=channel.id, tags=[r.tag for r in rules])
            counts[channel.name] = len(rules)
    return counts


def listened_terms(
    db: Database, *, subject_share: float, top: int = KEYWORDS_LISTENED_FOR
) -> tuple[list[str], Mapping[str, tuple[str, ...]]]:
    """The corpus's terms to listen for, best first, and for those that need it their company.

    Args:
        db: read as the application.
        subject_share: share of the sources, in [0, 1], from which a word is what the corpus is about.
        top: the most terms, > 0.
    """
    with db.transaction() as tx:
        shared = tx.rows("shared_keywords", top=top)
        best = tx.rows("best_keywords", top=top * _LOOKED_AT)
    subject = Subject(shared[0]["n_corpus"] if shared else 0, subject_share)
    found = {row["term"].casefold(): row for row in (*best, *shared)}
    every = [CorpusTerm(row["term"], frozenset(row["source_ids"])) for row in found.values()]
    known = subject_first(every, subject)
    terms = worth_listening(known, limit=top, subject=subject)
    company = company_of(terms, known, subject=subject)
    # A word that would need company and has none finds mostly what is not meant.
    words = [one.term for one in terms if one.term in company or not needs_company(one, subject)]
    return words, company
