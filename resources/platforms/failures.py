"""What can go wrong with a platform, by what is known of the outcome.

PlatformRefusal (rejoinder.errors)
└── PlatformFailure
    ├── RateLimited      not taken; wait until retry_at, if the platform said when
    │   └── SpendStopped our own budget is spent: nothing was sent
    ├── Refused          not taken and never will be as it stands: terminal
    ├── AuthExpired      not taken; the credentials were refused
    ├── Unreachable      surely not taken (connection refused, no such host), or a read that failed
    └── OutcomeUnknown   a write whose answer was not seen: only a read-back or a person may settle it

Messages carry the platform's own words or the name of an exception, never a header, an address
with a token in it, or a body: no secret can stand in them.
"""

from datetime import datetime
from typing import ClassVar

from rejoinder.errors import PlatformRefusal
from rejoinder.posting.verdicts import Failure, FailureKind

LONGEST_DETAIL = 300


class PlatformFailure(PlatformRefusal):
    """A call to a platform failed; kind says what is known of the outcome."""

    kind: ClassVar[FailureKind]

    def __init__(self, detail: str, *, code: str = "", retry_at: datetime | None = None) -> None:
        self.detail = detail[:LONGEST_DETAIL]
        self.code = code
        self.retry_at = retry_at
        super().__init__(f"{code}: {self.detail}" if code else self.detail)

    def as_failure(self) -> Failure:
        """The facts that `rejoinder.posting.verdicts` judges."""
        return Failure(self.kind, self.code, self.detail)


class RateLimited(PlatformFailure):
    """The platform asks to wait; retry_at is in the platform's time, None when it did not say."""

    kind = "rate_limited"

    def __init__(self, retry_at: datetime | None, detail: str = "the platform asks to wait") -> None:
        super().__init__(detail, retry_at=retry_at)


class SpendStopped(RateLimited):
    """Our own budget for the platform is spent: nothing was sent; retry_at is when the next one begins."""


class Refused(PlatformFailure):
    """The platform said no; codes are those of `rejoinder.posting.verdicts.REFUSALS`.

    parameters are the names of what it refuses of a request, where it names them.
    """

    kind = "refused"

    def __init__(self, code: str, detail: str, *, parameters: frozenset[str] = frozenset()) -> None:
        super().__init__(detail, code=code)
        self.parameters = parameters


class OutcomeUnknown(PlatformFailure):
    """The request left and no answer that can be trusted came back."""

    kind = "outcome_unknown"


class AuthExpired(PlatformFailure):
    """The platform refused the credentials."""

    kind = "auth_expired"


class Unreachable(PlatformFailure):
    """The platform did not get the request, or a read got no usable answer."""

    kind = "unreachable"
