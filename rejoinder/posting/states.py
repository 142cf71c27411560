"""States of a publication and of its parts, and the one table of legal moves of each.

``sending`` is committed before the request leaves. Where its outcome was not seen the publication
is ``unknown``, and only a read-back or a person moves it on: no platform offers an idempotency
key, so a blind retry may post twice. A thread is ``sending`` while its parts go out one after the other,
each ``sending`` before its own request. SQL and ``docs/states.md`` hold the same table; tests compare.
"""

from typing import Literal, TypeAlias, get_args

from rejoinder.errors import IllegalMove

PublicationState = Literal[
    "queued", "sending", "sent", "refused", "unknown", "cancelled", "handoff", "abandoned"
]
PartState = Literal["queued", "sending", "sent", "refused", "unknown"]
PublicationMove: TypeAlias = tuple[PublicationState, PublicationState]

STATES: tuple[PublicationState, ...] = get_args(PublicationState)
BIRTH_STATES: frozenset[PublicationState] = frozenset({"queued", "handoff"})

PUBLICATION_MOVES: frozenset[PublicationMove] = frozenset(
    {
        ("queued", "sending"),  # claimed; committed before the request
        ("queued", "cancelled"),
        ("queued", "handoff"),  # the channel may not reply by API
        ("sending", "sent"),
        ("sending", "refused"),
        ("sending", "unknown"),  # the outcome was not seen
        ("sending", "queued"),  # the platform surely did not take it, or what is left of a thread has to wait
        ("handoff", "sent"),  # a person posted it and recorded the result
        ("handoff", "abandoned"),
        ("unknown", "sent"),  # these four by read-back or by a person only
        ("unknown", "queued"),  # a person says that it is not there, or the rest of a thread may follow
        ("unknown", "refused"),
        ("unknown", "abandoned"),
        ("refused", "handoff"),  # a person finishes a thread of which parts stand
    }
)

PART_STATES: tuple[PartState, ...] = get_args(PartState)
PART_MOVES: frozenset[tuple[PartState, PartState]] = frozenset(
    {
        ("queued", "sending"),  # committed before its request, once all parts before it are sent
        ("queued", "sent"),  # by hand
        ("sending", "sent"),
        ("sending", "refused"),
        ("sending", "unknown"),
        ("sending", "queued"),
        ("unknown", "sent"),  # by read-back or by a person
        ("unknown", "queued"),  # by a person only
        ("unknown", "refused"),
        ("refused", "sent"),  # by hand, after the platform refused it
    }
)


def move(current: PublicationState, target: PublicationState) -> PublicationState:
    """The target, if the table holds the move.

    Raises:
        IllegalMove: it does not; the message names both states and what is legal instead.

    >>> move("queued", "sending")
    'sending'
    >>> move("unknown", "sending")
    Traceback (most recent call last):
    rejoinder.errors.IllegalMove: a publication cannot move from unknown to sending; legal: abandoned, queued, refused, sent
    """  # noqa: E501 - the doctest shows the whole message
    if (current, target) in PUBLICATION_MOVES:
        return target
    legal = ", ".join(sorted(after for before, after in PUBLICATION_MOVES if before == current)) or "nowhere"
    raise IllegalMove(f"a publication cannot move from {current} to {target}; legal: {legal}")
