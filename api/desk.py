"""What every route works with: the workbench, the keys, and threads to work in."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.pace import Pace, Targets
from api.workers import Slots, Workers
from resources.access.keyring import WatchedKeyring
from resources.readiness import Lookout
from resources.workbench import Workbench

# As many threads as the workbench's pool has connections (resources.postgres.Database).
THREADS = 8
WAITING = 32
# One asks the database for all who ask whether it is ready; the others wait for what it says.
PROBES_WAITING = 32
# Each holds a whole source in memory.
UPLOADS, UPLOADS_WAITING = 2, 8
# Files on their way in, which a slow sender keeps on the disk of temporary files.
RECEIVED, RECEIVED_WAITING = 8, 32
# Files on their way out, which a slow reader keeps in memory.
SENT, SENT_WAITING = 4, 16

# Readers who follow links: in threads of their own, so that a crowd of them keeps no caller with a token waiting.
VISITORS, VISITORS_WAITING = 2, 64


@dataclass(frozen=True, slots=True)
class Desk:
    """What a server has at hand, made once."""

    bench: Workbench
    keys: WatchedKeyring
    workers: Workers = field(default_factory=lambda: Workers(THREADS, WAITING))
    probes: Workers = field(default_factory=lambda: Workers(1, PROBES_WAITING))
    lookout: Lookout = field(default_factory=Lookout)
    uploads: Workers = field(default_factory=lambda: Workers(UPLOADS, UPLOADS_WAITING))
    receiving: Slots = field(default_factory=lambda: Slots(RECEIVED, RECEIVED_WAITING))
    visitors: Workers = field(default_factory=lambda: Workers(VISITORS, VISITORS_WAITING))
    pace: Pace = field(default_factory=Pace)
    targets: Targets = field(default_factory=Targets)
    sending: Slots = field(default_factory=lambda: Slots(SENT, SENT_WAITING))


def _at(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_at)]
