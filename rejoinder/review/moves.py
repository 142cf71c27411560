"""The one table of legal moves of a post.

A post stands at a place: a stage and a status. Everything that changes a post's place, here, in
SQL and in ``docs/states.md``, follows this table; tests compare the three.
"""

from typing import Literal, NamedTuple, TypeAlias, get_args

from rejoinder.errors import IllegalMove

Stage = Literal["triage", "research", "response", "editorial", "review", "post_queue", "done"]
Status = Literal[
    "pending", "processing", "completed", "rejected", "failed", "dead", "rate_limited", "withdrawn"
]
WorkStage = Literal["triage", "research", "response", "editorial"]

STAGES: tuple[Stage, ...] = get_args(Stage)
STATUSES: tuple[Status, ...] = get_args(Status)
WORK_STAGES: tuple[WorkStage, ...] = get_args(WorkStage)


class Place(NamedTuple):
    """Where a post stands; written ``stage/status`` in messages, ``stage_status`` in diagrams.

    >>> str(Place("post_queue", "rate_limited"))
    'post_queue/rate_limited'
    """

    stage: Stage
    status: Status

    def __str__(self) -> str:
        return f"{self.stage}/{self.status}"


Move: TypeAlias = tuple[Place, Place]
Moves: TypeAlias = frozenset[Move]

START = Place("triage", "pending")
DONE = Place("done", "completed")
SENDING = Place("post_queue", "processing")


def next_stage(stage: Stage) -> Stage:
    """The stage after this one on the straight way.

    Raises:
        IllegalMove: ``done`` has none.

    >>> next_stage("editorial")
    'review'
    """
    if stage == "done":
        raise IllegalMove("a post that is done has no next stage")
    return STAGES[STAGES.index(stage) + 1]


# Inside each of the four stages that machines work on.
_WORK: tuple[tuple[Status, Status], ...] = (
    ("pending", "processing"),  # claimed
    ("processing", "pending"),  # freed, or the next step of the same stage
    ("processing", "failed"),  # an attempt failed: waits for its back-off
    ("failed", "processing"),  # the back-off is over
    ("processing", "rejected"),  # not worth an answer, or no evidence
    ("processing", "dead"),  # out of attempts
    ("dead", "pending"),  # revived by a person
)

# From the review on: people decide, the publisher sends.
_DECIDED: tuple[tuple[tuple[Stage, Status], tuple[Stage, Status]], ...] = (
    (("review", "pending"), ("review", "rejected")),
    (("review", "rejected"), ("review", "pending")),  # reopened
    (("review", "pending"), ("response", "pending")),  # sent back for another draft
    (("review", "pending"), ("post_queue", "pending")),  # approved
    (("post_queue", "pending"), ("post_queue", "processing")),  # claimed by the publisher
    (("post_queue", "processing"), ("post_queue", "pending")),  # surely not taken: tried again
    (("post_queue", "processing"), ("post_queue", "rate_limited")),
    (("post_queue", "rate_limited"), ("post_queue", "processing")),
    (("post_queue", "processing"), ("post_queue", "failed")),  # the platform refused it
    (("post_queue", "failed"), ("post_queue", "pending")),  # a person allows another try
    (("post_queue", "processing"), ("post_queue", "rejected")),  # an unknown outcome was given up
    (("post_queue", "processing"), ("done", "completed")),  # sent
    (("post_queue", "pending"), ("done", "completed")),  # handed off and recorded
    (("post_queue", "pending"), ("post_queue", "rejected")),  # hand-off abandoned, or cancelled
    (("post_queue", "pending"), ("review", "pending")),  # approval taken back before it was sent
    (("post_queue", "rate_limited"), ("review", "pending")),
    (("post_queue", "rate_limited"), ("post_queue", "rejected")),  # the rest of a thread is given up
)


def _inside(stage: WorkStage) -> Moves:
    return frozenset((Place(stage, before), Place(stage, after)) for before, after in _WORK)


def _onward(stage: WorkStage) -> Move:
    return Place(stage, "processing"), Place(next_stage(stage), "pending")


WALK_MOVES: Moves = (
    frozenset[Move]().union(*(_inside(stage) for stage in WORK_STAGES))
    | {_onward(stage) for stage in WORK_STAGES}
    | {(Place(*before), Place(*after)) for before, after in _DECIDED}
)
"""The moves a post makes of itself, edits and withdrawals apart."""

_WALKED: frozenset[Place] = frozenset(place for pair in WALK_MOVES for place in pair)

WITHDRAWN_MOVES: Moves = frozenset((place, Place(place.stage, "withdrawn")) for place in _WALKED - {DONE})
"""The post was deleted or its author opted out: it rests where it stood."""

_WITHDRAWN: frozenset[Place] = frozenset(after for _, after in WITHDRAWN_MOVES)

EDITED_MOVES: Moves = frozenset((place, START) for place in (_WALKED | _WITHDRAWN) - {START, DONE, SENDING})
"""The post was edited on its platform: everything said about it starts over.

Not while its reply is being sent (the outcome must be settled first), not once it was answered.
A withdrawn post can come back this way, restored and edited; whether its author opted out has to
be asked by whoever makes the move, since the table knows places, not people.
"""

POST_MOVES: Moves = WALK_MOVES | EDITED_MOVES | WITHDRAWN_MOVES
PLACES: frozenset[Place] = frozenset(place for pair in POST_MOVES for place in pair)
FINAL_PLACES: frozenset[Place] = PLACES - {before for before, _ in POST_MOVES}


def move(current: Place, target: Place) -> Place:
    """The target, if the table holds the move.

    Raises:
        IllegalMove: it does not; the message names both places and what is legal instead.

    >>> str(move(Place("editorial", "processing"), Place("review", "pending")))
    'review/pending'
    >>> move(Place("done", "completed"), Place("triage", "pending"))
    Traceback (most recent call last):
    rejoinder.errors.IllegalMove: a post cannot move from done/completed to triage/pending; legal: nowhere
    """
    if (current, target) in POST_MOVES:
        return target
    legal = ", ".join(sorted(str(place) for place in targets(current))) or "nowhere"
    raise IllegalMove(f"a post cannot move from {current} to {target}; legal: {legal}")


def targets(current: Place) -> frozenset[Place]:
    """The places a post may move to from here; empty for a final place."""
    return frozenset(after for before, after in POST_MOVES if before == current)
