"""What a request handler gets and gives back; nothing here knows a platform."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from resources.sandbox.clock import Clock
from resources.sandbox.connections import Connections
from resources.sandbox.credentials import Credentials
from resources.sandbox.flows import Flow
from resources.sandbox.limits import Windows
from resources.sandbox.reads import Reads
from resources.sandbox.reddit_limits import RedditWindows
from resources.sandbox.state import State

Who = Literal["app", "user", "nobody"]


@dataclass(slots=True)
class World:
    """All that the sandbox knows; writes_in_hand counts requests that came in and were not decided yet."""

    state: State
    clock: Clock
    credentials: Credentials
    windows: Windows = field(default_factory=Windows)
    reddit_windows: RedditWindows = field(default_factory=RedditWindows)
    connections: Connections = field(default_factory=Connections)
    usage: Reads = field(default_factory=Reads)
    flow: Flow = field(default_factory=Flow)
    writes_in_hand: int = 0

    @property
    def open_streams(self) -> int:
        """How many clients are connected to X's stream."""
        return len(self.connections.connected())


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read in full; ``now`` is the simulated time it arrived."""

    world: World
    now: float
    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    host: str

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: the body is not JSON in UTF-8.
        """
        try:
            value = json.loads(self.body)
            # JSON may spell half a surrogate pair, which nothing behind this can store.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ValueError("the JSON is nested too deep") from None
        return value


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; a body that is text is sent as plain text, anything else as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A handler says no with this answer; code is what the witness log shows."""

    def __init__(self, code: str, answer: Answer) -> None:
        super().__init__(code)
        self.code = code
        self.answer = answer


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route: its name is what faults and limits are ordered by.

    needs says whose token it wants; app_limit and user_limit are calls per 15 minutes.
    """

    name: str
    method: str
    path: str
    handler: Handler
    needs: Literal["user", "app", "either"] = "either"
    app_limit: int = 450
    user_limit: int = 300
    is_write: bool = False
