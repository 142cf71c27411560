"""Every error the project raises on purpose.

RejoinderError
├── InputUnreadable      a file or row that cannot be used: quarantined with this reason
├── ConfigInvalid        settings, rejoinder.toml or arguments: stops the command, exit code 2
├── NotAllowed           the person's role does not allow this
├── DecisionInvalid      what a person decided is incomplete or cannot be sent: say what to change
├── IllegalMove          a state machine was asked for a move that is not in its table
├── StaleView            someone decided in between: look again before deciding
├── LeaseLost            another worker holds the item now: nothing was changed
├── StopAsked            a signal asked the process to stop; what was in hand was finished
├── ServiceUnavailable   Postgres, the sandbox or a model cannot be reached: try again later
├── PassingTrouble       something a work item needs is away: tried again later, and not held against the item
│   ├── ModelTrouble     no model answered in time; retried, then another endpoint is asked
│   └── BudgetSpent      the money for models is spent for today; nothing was sent
├── ModelRefusal         a model will not take this request
├── ReplyInvalid         a model's answer does not keep to the schema that was asked for
└── PlatformRefusal      a platform said no (see resources.platforms for the kinds)
"""

from typing import Literal

TroubleKind = Literal["timeout", "rate_limit", "server", "connection", "empty", "busy", "open"]
RefusalKind = Literal["content", "context", "key", "unknown_model", "price", "request"]


class RejoinderError(Exception):
    """Base of all errors raised on purpose; the message names the fix where there is one.

    Args:
        message: what is wrong, for a person.
        fix: what helps, where more is known than what helps against every error of the kind.
    """

    def __init__(self, message: str = "", *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class InputUnreadable(RejoinderError):
    """The input cannot be used; the message is the reason that quarantine shows."""


class ConfigInvalid(RejoinderError):
    """A setting, the file rejoinder.toml or an argument is wrong."""


class NotAllowed(RejoinderError):
    """The person's role does not allow this."""


class DecisionInvalid(RejoinderError):
    """A decision is incomplete or its text cannot be sent; the message names the fix."""


class IllegalMove(RejoinderError):
    """The state machine has no such move."""


class StaleView(RejoinderError):
    """What the person saw is no longer so: someone decided in between."""


class LeaseLost(RejoinderError):
    """Another worker holds the item; what this one did was not saved."""


class StopAsked(RejoinderError):
    """A signal asked the process to stop; what was in hand was finished, the next run does the rest."""


class ServiceUnavailable(RejoinderError):
    """Something this process depends on cannot be reached."""


class PassingTrouble(RejoinderError):
    """Something that a work item needs is away: it is tried again with back-off and uses up no attempt."""


class ModelTrouble(PassingTrouble):
    """A model gave no answer, and may later.

    Args:
        kind: what happened.
        message: for a person, without any secret.
        retry_after_s: how long the provider asked to wait, None where it did not say.
        charged: tokens read and written that the provider told, and charges, though there is no answer.
        was_sent: the request went out and nobody knows how far its answer got: the provider may charge for it.
    """

    def __init__(
        self,
        kind: TroubleKind,
        message: str,
        *,
        retry_after_s: float | None = None,
        charged: tuple[int, int] | None = None,
        was_sent: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.was_sent = was_sent
        self.retry_after_s = retry_after_s
        self.charged = charged


class BudgetSpent(PassingTrouble):
    """A budget for models is spent; the message names it and when there is money again."""


class ModelRefusal(RejoinderError):
    """A model will not take this request, and would not the next time.

    Args:
        kind: why. "content": its rules forbid the content; "context": too long for it; "key": the key is wrong or has
            no money; "unknown_model": there is no such model; "price": what it costs is not known; "request": it cannot
            do what is asked.
        message: for a person, without any secret.
        fix: what helps, where it is known.
        charged: tokens read and written that the provider told, and charges, though there is no answer.
    """

    def __init__(
        self,
        kind: RefusalKind,
        message: str,
        *,
        fix: str | None = None,
        charged: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message, fix=fix)
        self.kind = kind
        self.charged = charged


class ReplyInvalid(RejoinderError):
    """A model's answer does not keep to the schema that was asked for, nor did it after one repair."""


class PlatformRefusal(RejoinderError):
    """A platform refused a call."""
