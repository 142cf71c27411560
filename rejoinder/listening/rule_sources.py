"""Where the rules of platforms were read, and when; what is chosen here or assumed says so."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where one rule of a platform was read, and when."""

    rule: str
    source: str
    read_on: date


READ = date(2026, 11, 21)
X_RULES = (
    RuleSource("content may not train models", "docs.x.com developer-guidelines", READ),
    RuleSource("no sensitive attributes of people", "docs.x.com developer-terms/policy", READ),
    RuleSource("deletions honoured within 24 hours", "docs.x.com developer-guidelines", READ),
    RuleSource("automated label and named operator", "docs.x.com developer-guidelines", READ),
)
X_SUMMONED = RuleSource(
    "self-serve replies only to authors who mentioned or quoted the account, since 2026-02-23",
    "docs.x.com x-api/posts/manage-tweets/introduction and changelog",
    READ,
)
CHOSEN = (
    RuleSource("one reply per author and day, two per conversation", "chosen here", READ),
    RuleSource("a pause between two replies, never the same", "chosen here", READ),
    RuleSource(
        "posts are looked up again every 12 hours, within the term for deletions", "chosen here", READ
    ),
)
X_ONE = RuleSource("one automated reply per interaction", "docs.x.com developer-guidelines", READ)
X_STOP = RuleSource("who asks to be left alone is not answered", "docs.x.com developer-guidelines", READ)
X_PRICES = (
    RuleSource("pay-per-use prices", "docs.x.com x-api/getting-started/pricing", READ),
    RuleSource(
        "a call for recent counts is charged by request",
        "docs.x.com x-api/getting-started/pricing, as github.com/api-evangelist/x copied it",
        date(2026, 8, 28),
    ),
    RuleSource("a link makes a summoned reply cost what any post with a link costs", "assumed", READ),
    RuleSource("the later parts of a thread cost what posts cost that nobody called for", "assumed", READ),
    RuleSource("a thread is one reply to one interaction, of five parts at most", "chosen here", READ),
)
