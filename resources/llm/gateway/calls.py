"""One call on its way through the gateway, and the shapes of the wrappers that it passes.

What belongs here: what more than one wrapper reads. A call is made by the outermost wrapper and handed down; each
wrapper adds what it did.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rejoinder.errors import BudgetSpent, ModelRefusal, ModelTrouble, RejoinderError, ReplyInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import Arm, Attempt, LlmRequest, RawReply, Usage

NOTHING_READ = Usage(0, 0)
# While PostgreSQL is away, as it is when it is started anew, a call waits for it once before and once after the model.
LONGEST_OUTAGE_S = 10.0
# Seconds on a clock that only goes forward.
Clock = Callable[[], float]
# Of the table of kept answers.
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said, now or, where is_cached, at an earlier time."""

    raw: RawReply
    endpoint: Endpoint
    is_cached: bool = False


class AlreadyAnswered(Exception):
    """The answer turned out to be kept while a place was asked for; no place and no money were taken."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("the answer is kept")
        self.answer = answer


@dataclass(slots=True)
class Look:
    """A look for kept answers that was put off: whoever asks the database for a place makes it on the way.

    keys are those of all answers that are of use, by endpoint; at_once names the endpoints whose answers are given
    without asking anybody. heard takes the rows that were found and the endpoint that was to be asked, and raises
    `AlreadyAnswered` where one of them is the answer. alone asks for them in a statement of its own, and hears them.
    """

    keys: Mapping[str, bytes]
    at_once: Sequence[str]
    heard: Callable[[Rows, str], None]
    alone: Callable[[str], None]
    is_made: bool = False

    def enough(self, endpoint: str) -> list[bytes]:
        """Keys of which one spares this endpoint the question."""
        return [self.keys[name] for name in {*self.at_once, endpoint} if name in self.keys]

    def make(self, rows: Rows, endpoint: str) -> None:
        """Say what was found; once."""
        self.is_made = True
        self.heard(rows, endpoint)

    def make_alone(self, endpoint: str) -> None:
        """Make it now, in a statement of its own, if nobody has made it."""
        if not self.is_made:
            self.is_made = True
            self.alone(endpoint)


@dataclass(slots=True)
class Call:
    """One call under way.

    deadline is a time of the gateway's own clock, in seconds; attempts are what was tried so far, in order. keys name
    the answers that may be kept, by endpoint, none if none may; kept are answers of earlier calls, by endpoint; look is
    for them, where nobody has looked yet. to_keep is what this call leaves behind: a key and the answer. to_settle is
    the number of the lease that its answer came by, settled when it is recorded. afterwards is run when the call has
    been recorded.
    """

    request: LlmRequest
    arm: Arm
    deadline: float
    attempts: list[Attempt] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, Answer] = field(default_factory=dict)
    look: Look | None = None
    to_keep: tuple[bytes, Answer] | None = None
    to_settle: int | None = None
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def left_s(self, now: float) -> float:
        """Seconds until the deadline.

        Raises:
            ModelTrouble: there are none.
        """
        left = self.deadline - now
        if left <= 0:
            raise ModelTrouble("timeout", f"The time for this call of the task {self.request.task} is up.")
        return left


class Answering(Protocol):
    """A wrapper that takes a call to its answer."""

    def answer(self, call: Call) -> Answer:
        """The answer, or one of the errors of `Llm.complete`."""


class Asking(Protocol):
    """A wrapper that asks one endpoint."""

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        """What the endpoint says to the request, which may be worded otherwise than the call's own."""


class Place(Protocol):
    """A place at an endpoint with money put aside for one attempt."""

    def settle(self, outcome: str, cost_usd: float, error: str | None = None) -> None:
        """Give the place back; what was put aside is replaced by what it cost."""

    def owe(self, cost_usd: float) -> int | None:
        """The same for an answered call, done when the call is recorded; the number to do it by, None if it is done."""


class Admitting(Protocol):
    """Whoever lets attempts through."""

    def admit(
        self,
        endpoint: Endpoint,
        request: LlmRequest,
        *,
        estimate_usd: float,
        deadline: float,
        patience_s: float = 0.0,
        look: Look | None = None,
    ) -> AbstractContextManager[Place]:
        """Wait for a place, at the latest until the deadline, and put the money aside.

        Raises:
            AlreadyAnswered: the look, made on the way, found the answer.
            ModelTrouble: no place came free in time, or the endpoint is left alone after failures.
            BudgetSpent: the money does not suffice.
            ModelRefusal: ("price") what a call costs is not known.
        """


def outcome_of(error: BaseException) -> str:
    """The word for a failed attempt in the record: the kind of the error.

    >>> outcome_of(ModelTrouble("timeout", "")), outcome_of(BudgetSpent()), outcome_of(KeyboardInterrupt())
    ('timeout', 'budget', 'killed')
    """
    if isinstance(error, ModelTrouble | ModelRefusal):
        return error.kind
    if isinstance(error, BudgetSpent):
        return "budget"
    if isinstance(error, ReplyInvalid):
        return "invalid"
    return "error" if isinstance(error, Exception) else "killed"


def error_in_words(error: BaseException, *, most: int = 300) -> str:
    """The error for the record: our own in their words, of others the type alone, as their words may hold a secret.

    >>> error_in_words(ReplyInvalid("no object")), error_in_words(ValueError("key=secret"))
    ('ReplyInvalid: no object', 'ValueError')
    """
    text = type(error).__name__
    if isinstance(error, RejoinderError) and str(error):
        text += f": {error}"
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")[:most]
