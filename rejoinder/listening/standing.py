"""Whether heard posts still stand where they were heard: how often to ask, and what an answer means.

What belongs here: the terms that follow from a channel's policy, and the verdict on one answer. Asking a platform,
withdrawing and purging belong in resources.compliance.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verdict = Literal["stands", "edited", "replaced", "gone", "hidden", "purge", "restored"]

# A post that is looked for again so soon is not read twice by chance; longer would cost time that deletions have.
CONFIRM_S = 900.0
# Parts of the retention time: at most one half passes before a deletion is seen, and a fourth before it is purged.
UNSEEN_SHARE, UNCONFIRMED_SHARE = 0.5, 0.25


@dataclass(frozen=True, slots=True)
class RecheckTerms:
    """How often a channel's posts are looked up, all in seconds.

    recheck_s: the longest time between two looks at a post that stands. confirm_s: the shortest time between seeing
    that it is gone and looking once more. purge_s: the longest time from seeing that it is gone until its content is
    purged, also where the second look fails.
    """

    recheck_s: float
    confirm_s: float
    purge_s: float

    @property
    def longest_s(self) -> float:
        """The longest time from a deletion on the platform to the purge here, with lookups in time."""
        return self.recheck_s + self.purge_s


def recheck_terms(retention_s: float, wanted_s: float) -> RecheckTerms:
    """The terms within which a deletion is honoured in time.

    Args:
        retention_s: how long content may be kept after its deletion on the platform, seconds, >= 0.
        wanted_s: how often posts shall be looked up, seconds; shortened where the retention time asks for it.

    Returns:
        Terms whose longest_s is at most three quarters of the retention time: the rest is for lookups that are late.

    >>> recheck_terms(86_400, 43_200)
    RecheckTerms(recheck_s=43200, confirm_s=900.0, purge_s=21600.0)
    >>> recheck_terms(600, 43_200).longest_s
    450.0
    """
    purge_s = retention_s * UNCONFIRMED_SHARE
    return RecheckTerms(
        recheck_s=min(wanted_s, retention_s * UNSEEN_SHARE),
        confirm_s=min(CONFIRM_S, purge_s / 2),
        purge_s=purge_s,
    )


def judge(
    *,
    text: str,
    gone_at: datetime | None,
    text_now: str | None,
    is_replaced: bool = False,
    is_said: bool = True,
) -> Verdict:
    """What one answer of the platform means for a stored post.

    Args:
        text: as it is stored.
        gone_at: when the platform was first seen without it; None while it was there at the last look.
        text_now: as it reads there now; None where the platform shows it no more.
        is_replaced: its newest version has an id of its own there, and is another post to answer.
        is_said: the platform says so; False where it only left the post out of its answer.

    Returns:
        ``gone`` where it is missing for the first time: nothing of it is published from then on, and it is looked
        for once more, because platforms hide a post for a while too. ``purge`` where it is said to be missing
        again, ``hidden`` where it is only left out again: a purge cannot be taken back, so it waits for the end
        of `RecheckTerms.purge_s`.

    >>> judge(text="a", gone_at=None, text_now="b")
    'edited'
    """
    if text_now is None or is_replaced:
        if gone_at is not None:
            return "purge" if is_said else "hidden"
        return "gone" if text_now is None else "replaced"
    if gone_at is not None:
        return "restored"
    return "stands" if text_now == text else "edited"
