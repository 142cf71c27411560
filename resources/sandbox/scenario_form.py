"""The form of a scenario's file: what may stand in it, and which values."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from resources.sandbox.clock import FASTEST
from resources.sandbox.control_posts import REMOVERS
from resources.sandbox.credentials import read_handle
from resources.sandbox.faults import DELAY_S, refuse_kind
from resources.sandbox.made_posts import KNOWN, read_many
from resources.sandbox.reddit_routes import ENDPOINTS as REDDIT_ENDPOINTS
from resources.sandbox.x_routes import ENDPOINTS as X_ENDPOINTS
from resources.sandbox.x_settings import NAMES, read_value

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhd])")
LONGEST_S = 366 * 86_400.0
MOST_EVENTS = 10_000
FAULTY = frozenset({each.name for each in (*X_ENDPOINTS, *REDDIT_ENDPOINTS)} | {"stream", "token"})


def read_duration(value: object) -> float:
    """Seconds out of ``90s``, ``5m``, ``2h``, ``1d`` or a plain number.

    Raises:
        ValueError: it is none of these, or more than a year.

    >>> read_duration("1.5h")
    5400.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        match = DURATION.fullmatch(str(value).strip())
        if match is None:
            raise ValueError("a time is written as 90s, 5m, 2h or 1d")
        seconds = float(match[1]) * UNITS_S[match[2]]
    if not 0 <= seconds <= LONGEST_S:
        raise ValueError("a time is between 0 and a year")
    return seconds


Duration = Annotated[float, BeforeValidator(read_duration)]
PostId = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Handle = Annotated[str, BeforeValidator(read_handle)]


class Form(BaseModel):
    """What all parts have in common: a key that is not known is wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClockForm(Form):
    """Where the clock starts, and how fast it runs."""

    start: AwareDatetime | None = None
    speed: float = Field(1.0, ge=0, le=FASTEST)


class FaultForm(Form):
    """A fault on an endpoint."""

    endpoint: str
    kind: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    times: int = Field(1, ge=1, le=1_000_000)
    delay_s: float = Field(DELAY_S, ge=0, le=3600)

    @model_validator(mode="after")
    def _fits(self) -> "FaultForm":
        if self.endpoint not in FAULTY:
            raise ValueError(f"no endpoint {self.endpoint!r}; there are {', '.join(sorted(FAULTY))}")
        refuse_kind(self.endpoint, self.kind)
        return self


class ChangeForm(Form):
    """What happens to a post; text is an edit, new_id makes it a version of its own (X)."""

    id: PostId
    text: str | None = Field(None, min_length=1)
    new_id: bool = False
    deleted: bool | None = None
    locked: bool | None = None
    archived: bool | None = None
    blocked: bool | None = None
    removed: bool | Literal[REMOVERS] | None = None  # type: ignore[valid-type]


class TokensForm(Form):
    """Tokens that end, or are good again."""

    platform: Literal["x", "reddit"]
    state: Literal["valid", "expired", "revoked"] = "expired"
    account: Handle | None = None


class FlowForm(Form):
    """A flow of posts on X that the stream's rules match, at a rate per real second."""

    rate_per_s: float = Field(10.0, gt=0, le=2000)
    count: int = Field(100, ge=1, le=10_000_000)
    texts: list[str] | None = Field(None, min_length=1)
    author: str | None = None


class PaceForm(Form):
    """A new speed of the clock."""

    speed: float = Field(ge=0, le=FASTEST)


def read_post(value: object) -> dict[str, Any]:
    """A post that is given in part."""
    if not isinstance(value, dict):
        raise ValueError("a post is a mapping")
    unknown = sorted(str(key) for key in value.keys() - KNOWN - {"ago"})
    if unknown:
        raise ValueError(f"a post has no {', '.join(unknown)}; there are ago, {', '.join(sorted(KNOWN))}")
    if value.get("platform") not in ("x", "reddit"):
        raise ValueError("platform must be x or reddit")
    if not isinstance(value.get("text"), str):
        raise ValueError("text must be text")
    if value["platform"] == "reddit" and not isinstance(value.get("community"), str):
        raise ValueError("community must be named for reddit")
    return plain(value)


def read_generate(value: object) -> dict[str, Any]:
    """An order for many posts."""
    if not isinstance(value, dict):
        raise ValueError("generate is a mapping")
    order = {**value, "every_s": read_duration(value["every"])} if "every" in value else dict(value)
    order.pop("every", None)
    read_many(order)
    return order


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """The same with times as text, as JSON has no times; a number as an id becomes text."""
    shown = {key: each.isoformat() if isinstance(each, datetime) else each for key, each in value.items()}
    ids = ("id", "platform_post_id", "parent_id", "conversation_id")
    return {key: str(each) if key in ids and isinstance(each, int) else each for key, each in shown.items()}


def read_x(value: object) -> dict[str, Any]:
    """Settings of X, as ``POST /sandbox/x`` takes them."""
    if not isinstance(value, dict) or not value:
        raise ValueError("x is a mapping of settings")
    unknown = sorted(str(key) for key in value.keys() - set(NAMES))
    if unknown:
        raise ValueError(f"X has no setting {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name, setting in value.items():
        if setting is not None:
            read_value(name, setting)
    return dict(value)


Post = Annotated[dict[str, Any], BeforeValidator(read_post)]
XSettings = Annotated[dict[str, Any], BeforeValidator(read_x)]
Generate = Annotated[dict[str, Any], BeforeValidator(read_generate)]


class StartPosts(Form):
    """Posts that are there when the scenario starts: one of a post, a file, or many that are made up."""

    post: Post | None = None
    file: str | None = Field(None, min_length=1)
    generate: Generate | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "StartPosts":
        refuse_unless_one(self, ("post", "file", "generate"))
        return self


ACTIONS = ("post", "generate", "change", "fault", "tokens", "flow", "clock", "x")


class EventForm(Form):
    """Something that happens at a time after the start, or several times, with ``every`` between."""

    at: Duration
    every: Duration | None = None
    times: int = Field(1, ge=1, le=1000)
    post: Post | None = None
    generate: Generate | None = None
    change: ChangeForm | None = None
    fault: FaultForm | None = None
    tokens: TokensForm | None = None
    flow: FlowForm | None = None
    clock: PaceForm | None = None
    x: XSettings | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "EventForm":
        refuse_unless_one(self, ACTIONS)
        if self.post is not None and "ago" in self.post:
            raise ValueError(
                "ago is for posts that are there from the start; an event's post is made at its time"
            )
        if self.times > 1 and self.every is None:
            raise ValueError("times needs every: how long between two")
        return self

    @property
    def kind(self) -> str:
        """Which action it is."""
        return next(name for name in ACTIONS if getattr(self, name) is not None)

    @property
    def body(self) -> dict[str, Any]:
        """The action's values, for JSON."""
        action = getattr(self, self.kind)
        return dict(action) if isinstance(action, dict) else action.model_dump(exclude_none=True)


class ScenarioForm(Form):
    """The whole file."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9_ -]{1,60}$")
    description: str = Field(min_length=1, max_length=2000)
    clock: ClockForm = ClockForm()
    accounts: list[Handle] = Field([], max_length=50)
    posts: list[StartPosts] = Field([], max_length=MOST_EVENTS)
    events: list[EventForm] = Field([], max_length=MOST_EVENTS)


def refuse_unless_one(form: Form, names: tuple[str, ...]) -> None:
    """Raise ValueError unless exactly one of these is given."""
    given = [name for name in names if getattr(form, name) is not None]
    if len(given) != 1:
        raise ValueError(
            f"give exactly one of {', '.join(names)}" + (f", not {', '.join(given)}" if given else "")
        )
