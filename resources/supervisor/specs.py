"""What a child process is: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

START_TIMEOUT_S = 240.0
STOP_GRACE_S = 20.0
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Healthy while a GET answers 2xx and its body holds ``contains``."""

    port: int
    path: str = "/"
    contains: str = ""
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Healthy while the port takes connections."""

    port: int
    host: str = "127.0.0.1"


Probe = HttpProbe | TcpProbe


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to keep running, or to run once to its end where ``is_one_shot``.

    Attributes:
        name: unique; also the name of its log file.
        argv: program and arguments; never a secret, since every local user can read them.
        address: what a person opens, empty if nothing listens.
        env: variables for this child alone; secrets go here.
        probe: how health is seen; without one a child is healthy once it has run for ``settle_s``.
        needs: names of children that must be healthy (or done) before this one is started.
        start_timeout_s: seconds after which a child that never got healthy counts as dead.
    """

    name: str
    argv: tuple[str, ...]
    address: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    probe: Probe | None = None
    needs: tuple[str, ...] = ()
    is_one_shot: bool = False
    start_timeout_s: float = START_TIMEOUT_S
    settle_s: float = SETTLE_S


@dataclass(frozen=True, slots=True)
class PortClaim:
    """A port that one of the children will listen on, and what to change where it is taken."""

    port: int
    wanted_by: str
    change_with: str
