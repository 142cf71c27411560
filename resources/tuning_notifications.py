"""Sections of rejoinder.toml about notifications: where they are sent, which ones, and when not.

What belongs here: values with their limits, and turning them into the domain's own. Secrets are in the environment.
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.quiet_hours import QuietHours, read_quiet_hours
from rejoinder.notices.kinds import Choice, Severity
from resources.tuning_sections import Section

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_safe_address(url: str, *, allow_http: bool = False) -> bool:
    """Whether something may be sent to an address: https, http to this machine, or http where that is allowed.

    >>> [is_safe_address(url) for url in ("https://a.example/x", "http://127.0.0.1:9", "http://a.example")]
    [True, True, False]
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password:
        return False
    is_plain = parts.scheme == "http" and (allow_http or parts.hostname in LOOPBACK)
    return parts.scheme == "https" or is_plain


def _quiet(text: str) -> str:
    try:
        return str(read_quiet_hours(text))
    except ConfigInvalid as error:
        raise ValueError(str(error)) from None


class SinkTuning(Section):
    """What all sinks have."""

    name: Name = Field(description="Name of the sink; its secret is REJOINDER_KEY_<NAME>.")
    at_least: Severity = Field("warning", description="Least severity that is sent.")
    kinds: tuple[str, ...] = Field((), description="Only these kinds, whatever their severity; empty: all.")
    quiet: Annotated[str, AfterValidator(_quiet)] | None = Field(
        None, description="Hours in which only what is critical is sent: 22:00-07:00 Europe/Berlin."
    )
    group_s: float = Field(0.0, ge=0, le=86_400, description="Least seconds between two messages.")
    ca_file: str | None = Field(None, description="Certificates to trust instead of the system's.")

    @property
    def choice(self) -> Choice:
        """Which kinds it wants."""
        return Choice(self.at_least, frozenset(self.kinds))

    @property
    def quiet_hours(self) -> QuietHours | None:
        """When it wants only what is critical."""
        return read_quiet_hours(self.quiet) if self.quiet else None

    @property
    def in_one(self) -> int:
        """Most notices in one message."""
        return 50

    @property
    def tells_end(self) -> bool:
        """Whether it is told when a trouble is over."""
        return True

    @property
    def exchanges(self) -> int:
        """How many times the time-out one message may take, from connecting to the last byte of the answer."""
        return 1


class WebhookSink(SinkTuning):
    """A POST of JSON."""

    kind: Literal["webhook"]
    url: str | None = Field(
        None,
        description="Where to; without it REJOINDER_KEY_<NAME>_URL says, for addresses that are secrets.",
    )
    allow_http: bool = Field(False, description="Whether http will do beyond this machine.")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.url is not None and not is_safe_address(self.url, allow_http=self.allow_http):
            raise ValueError(
                f"{self.name}: the url must begin with https:// and hold no password;"
                " http:// is for this machine, or with allow_http = true"
            )
        return self


class MailSink(SinkTuning):
    """Letters by SMTP."""

    kind: Literal["email"]
    host: str = Field(min_length=1, description="Mail server.")
    port: int = Field(587, ge=1, le=65_535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description='"starttls", "tls" from the first byte (port 465), "none" on this machine only.',
    )
    user: str | None = Field(None, description="Who signs in; the password is REJOINDER_KEY_<NAME>.")
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="Address in From.")
    to: tuple[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(
        min_length=1, description="Addresses in To."
    )
    group_s: float = Field(600.0, ge=0, le=86_400, description="Least seconds between two letters.")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError(f'{self.name}: security = "none" is for a mail server on this machine only')
        return self

    @property
    def in_one(self) -> int:
        """Most notices in one letter; more than a letter shows are counted."""
        return 1_000

    @property
    def tells_end(self) -> bool:
        """People read in the app that it is over."""
        return False

    @property
    def exchanges(self) -> int:
        """A letter is many questions and answers, each within the time-out, and each receiver is one of them."""
        return 6 + len(self.to)


class PagerDutySink(SinkTuning):
    """Incidents by PagerDuty's Events API v2; the routing key is REJOINDER_KEY_<NAME>."""

    kind: Literal["pagerduty"]
    at_least: Severity = Field("error", description="Least severity that is sent.")
    base_url: str = Field("https://events.pagerduty.com", description="Address of the Events API.")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not is_safe_address(self.base_url):
            raise ValueError(f"{self.name}: base_url must begin with https://; http:// is for this machine")
        return self

    @property
    def in_one(self) -> int:
        """An event is about one thing."""
        return 1


AnySink = Annotated[WebhookSink | MailSink | PagerDutySink, Field(discriminator="kind")]


class Notifications(Section):
    """Where people are told of trouble, beside the review app."""

    name: str = Field(
        "rejoinder", min_length=1, max_length=60, description="Name of this installation in messages."
    )
    review_app: str = Field("", description="Address of the review app, put into messages; empty: none.")
    interval_s: int = Field(
        30, ge=5, le=3_600, description="Seconds between two looks for what is to be told."
    )
    timeout_s: float = Field(10.0, gt=0, le=120, description="Seconds one message may take.")
    max_attempts: int = Field(12, ge=1, le=100, description="Attempts after which a message is dead.")
    sinks: tuple[AnySink, ...] = Field((), description="Where to, each a section [[notifications.sinks]].")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [sink.name for sink in self.sinks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sinks are named {twice[0]}")
        return self
