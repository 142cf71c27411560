"""What becomes of a publication after an attempt or a read-back: pure verdicts on facts.

The adapters of the platforms turn an exception or an answer into a `Failure`; this module alone
says which state follows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rejoinder.posting.states import PublicationState
from rejoinder.review.moves import Place

FailureKind = Literal["rate_limited", "unreachable", "refused", "outcome_unknown", "auth_expired"]

# What a person can do about each refusal. Codes not listed here are shown as they came.
REFUSALS: dict[str, str] = {
    "not_summoned": "the author did not mention us: hand the reply off instead",
    "duplicate_content": "the platform says this text was posted before: look at the account's timeline",
    "parent_gone": "the post we answer was deleted: nothing to do",
    "thread_locked": "the thread takes no more replies",
    "too_old": "the post is too old to be answered",
    "blocked": "its author has blocked the account",
    "muted": "the account is muted there",
    "reply_limited": "its author or community limits who may reply: hand the reply off instead",
    "too_many_comments": "the platform takes no more comments of the account there: try another day",
    "too_long": "the platform measures the text as too long: shorten it",
    "usage_capped": "the plan's monthly cap is used up: raise it, then allow another try",
    "forbidden": "the platform forbids this reply: read its answer",
    "invalid": "the platform could not read the request: read its answer",
}

# Why a thread waits of which the last part that was tried stands.
REST_WAITS = "rest_waits"
# The last attempt was refused as a duplicate, after one whose outcome was not seen.
DUPLICATE = "duplicate_after_unknown"

MAX_BACKOFF_S = 3600.0
READ_BACK_WINDOW_S = 900.0
READ_BACK_INTERVAL_S = 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong when a publication was sent.

    kind says what is known of the outcome: ``rate_limited``, ``unreachable``, ``auth_expired`` and
    ``refused`` mean that the platform surely did not take the text; ``outcome_unknown`` that it may
    have. code is the refusal's name (see `REFUSALS`), detail the platform's own words.
    """

    kind: FailureKind
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows and why.

    due_at is when to try again (``queued``) or to read back again (``unknown``); None where no
    machine acts any more. reason_code is stable and for programs, detail for people.
    """

    state: PublicationState
    due_at: datetime | None
    reason_code: str
    detail: str

    @property
    def needs_person(self) -> bool:
        """Whether the outcome is open and no machine will look again."""
        return self.state == "unknown" and self.due_at is None


def after_failure(
    failure: Failure,
    *,
    attempts: int,
    now: datetime,
    retry_at: datetime | None = None,
    backoff_s: float,
    was_unknown: bool = False,
) -> Verdict:
    """The verdict on an attempt that failed.

    A refusal is terminal. An outcome that was not seen becomes ``unknown``, never ``queued``. A
    duplicate refusal after an outcome that was once unknown says that the first try landed, so it
    is ``unknown`` too and the read-back finds the reply.

    Args:
        failure: what the platform's adapter saw.
        attempts: how often this publication was sent, this attempt included, >= 1.
        now: the time of the failure, aware.
        retry_at: when the platform allows the next call, if it said so.
        backoff_s: seconds to wait after the first failure, > 0; doubled with each attempt up to
            an hour.
        was_unknown: whether an earlier attempt of this publication ended in ``unknown``.
    """
    if failure.kind == "refused":
        return _after_refusal(failure, now=now, backoff_s=backoff_s, was_unknown=was_unknown)
    if failure.kind == "outcome_unknown":
        due_at = now + timedelta(seconds=backoff_s)
        return Verdict("unknown", due_at, failure.kind, failure.detail or "the answer was not seen")
    due_at = now + timedelta(seconds=backoff(attempts, backoff_s))
    if failure.kind == "rate_limited" and retry_at is not None:
        due_at = max(due_at, retry_at)
    return Verdict("queued", due_at, failure.kind, failure.detail or _HINTS[failure.kind])


_HINTS: dict[FailureKind, str] = {
    "rate_limited": "the platform asks to wait",
    "unreachable": "the platform cannot be reached; nothing was sent",
    "auth_expired": "the channel's credentials were refused: renew them; nothing was sent",
}


def _after_refusal(failure: Failure, *, now: datetime, backoff_s: float, was_unknown: bool) -> Verdict:
    if failure.code == "duplicate_content" and was_unknown:
        detail = "refused as a duplicate after an unknown outcome: the first try seems to have landed"
        return Verdict("unknown", now + timedelta(seconds=backoff_s), DUPLICATE, detail)
    hint = REFUSALS.get(failure.code, "the platform refused the reply")
    detail = f"{hint} ({failure.detail})" if failure.detail else hint
    return Verdict("refused", None, failure.code or "refused", detail)


def backoff(attempts: int, backoff_s: float) -> float:
    """Seconds to wait after so many attempts: doubled each time, at most an hour.

    Raises:
        ValueError: attempts is not positive, or backoff_s is not.

    >>> [backoff(n, 30) for n in (1, 2, 3, 10)]
    [30.0, 60.0, 120.0, 3600.0]
    """
    if attempts < 1 or backoff_s <= 0:
        raise ValueError(f"attempts and backoff_s must be positive, not {attempts} and {backoff_s}")
    # 2**12 seconds are over an hour already; without the bound a large count would overflow.
    return min(backoff_s * 2.0 ** min(attempts - 1, 12), MAX_BACKOFF_S)


def after_read_back(
    found: bool,
    *,
    attempted_at: datetime,
    searched_until: datetime,
    is_complete: bool,
    now: datetime,
    is_duplicate: bool = False,
    window_s: float = READ_BACK_WINDOW_S,
    interval_s: float = READ_BACK_INTERVAL_S,
) -> Verdict:
    """The verdict on a publication of unknown outcome after its account was read back.

    Found means sent. Not found proves nothing at first: a platform may accept a post and list it
    minutes later. After the window, and only if the search covered all of it, the absence is worth
    showing to a person, who decides. It is never re-sent by machine, not even then: absence from a
    list is weaker than a refusal (hidden, held for moderation and delayed posts are absent too),
    a second reply under someone's post cannot be taken back from those who saw it, and a late one
    costs a click.

    Where the platform itself refused the last attempt as a duplicate and nothing stands here after the window, the
    account has said these words elsewhere: that is a refusal, for another try would be refused again.

    Args:
        found: whether the approved text stands under the parent in the account's own timeline.
        attempted_at: when the request left.
        searched_until: the time up to which the timeline was read.
        is_complete: whether the search went back to attempted_at without a gap.
        now: the time of the read-back, aware.
        is_duplicate: whether the last attempt was refused as a duplicate.
        window_s: how long after the attempt a post may still turn up.
        interval_s: seconds to the next read-back within the window, > 0.
    """
    if found:
        return Verdict("sent", None, "read_back_found", "found on the account's own timeline")
    if is_complete and searched_until >= attempted_at + timedelta(seconds=window_s):
        if is_duplicate:
            return Verdict(
                "refused", None, "duplicate_content", "the account has said these words elsewhere, not here"
            )
        detail = "not on the account's timeline after the whole window: a person has to look and decide"
        return Verdict("unknown", None, "read_back_absent", detail)
    due_at = now + timedelta(seconds=interval_s)
    if not is_complete:
        detail = "the timeline could not be read to its end"
        return Verdict("unknown", due_at, DUPLICATE if is_duplicate else "read_back_incomplete", detail)
    return Verdict(
        "unknown", due_at, DUPLICATE if is_duplicate else "read_back_waiting", "not on the timeline yet"
    )


def on_thread(verdict: Verdict, *, n_sent: int, n_parts: int, now: datetime) -> Verdict:
    """The verdict on a whole reply, from the one on the part that was in hand.

    A thread is sent when its last part is; until then it waits for the next. However it ends, it says how many parts
    stand.

    Args:
        verdict: on the part.
        n_sent: how many parts stand now, this one included if it was sent.
        n_parts: of the reply.
        now: aware.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> refused = Verdict("refused", None, "blocked", "the author has blocked the account")
    >>> on_thread(refused, n_sent=1, n_parts=3, now=noon).detail
    '1 of 3 parts stand; the author has blocked the account'
    """
    if n_parts == 1 or (verdict.state == "sent" and n_sent == n_parts):
        return verdict
    stands = f"{n_sent} of {n_parts} parts stand"
    if verdict.state == "sent":
        return Verdict("queued", now, REST_WAITS, f"{stands}; the rest follows")
    return replace(verdict, detail=f"{stands}; {verdict.detail}")


def post_place(verdict: Verdict) -> Place:
    """Where a post being sent stands once its publication got this verdict.

    While the outcome is unknown the post stays in processing: nothing may be edited under it.

    Raises:
        ValueError: the state cannot follow from an attempt or a read-back.

    >>> str(post_place(Verdict("sent", None, "read_back_found", "")))
    'done/completed'
    """
    if verdict.state == "queued" and verdict.reason_code == "rate_limited":
        return Place("post_queue", "rate_limited")
    if verdict.state not in _PLACES:
        raise ValueError(f"no attempt or read-back ends in {verdict.state}")
    return _PLACES[verdict.state]


_PLACES: dict[PublicationState, Place] = {
    "queued": Place("post_queue", "pending"),
    "unknown": Place("post_queue", "processing"),
    "refused": Place("post_queue", "failed"),
    "sent": Place("done", "completed"),
}
