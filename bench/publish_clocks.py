"""The clocks of a fault campaign: hours pass in minutes, and no two clocks need agree.

Limits of a quarter of an hour and of three hours, and the window in which an unseen reply may still turn up, would
take days. So all clocks jump ahead together while nothing is due: the sandbox's by its control route, the
publishers' by a file that each reads now and then, and the database's where publishers read the time and where it
stamps when a request was about to leave. Between jumps they run at the speed of real time, and leases are of real time
always. Beside that the clock of each publisher's machine is wrong by up to `LARGEST_SKEW_S`, the database's by up to
`LARGEST_DATABASE_SKEW_S`, so that it goes back at times, and the sandbox's runs ahead by itself now and then.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from random import Random

import httpx

from rejoinder.errors import ConfigInvalid
from resources.postgres import Database, Transaction

LARGEST_SKEW_S = 90.0
# Limits are counted by the database's clock, with 35 seconds to spare (resources/publishing/pacing.py).
LARGEST_DATABASE_SKEW_S = 15.0
FURTHEST_SANDBOX_S = 1200.0

IN_THE_DATABASE = """
create table campaign_clock (offset_s double precision not null, skew_s double precision not null);
insert into campaign_clock values (0, 0);
create function campaign_time() returns timestamptz language sql volatile security definer as $$
  select clock_timestamp() + make_interval(secs => offset_s + skew_s) from campaign_clock
$$;
create function stamp_by_campaign() returns trigger language plpgsql as $$
begin
  new.sending_at := campaign_time();
  return new;
end $$;
-- Triggers fire in the order of their names: after the one that stamps.
create trigger stamped_by_campaign before update on publication_part
  for each row when (new.state = 'sending' and old.state <> 'sending') execute function stamp_by_campaign();
"""


@dataclass(slots=True)
class Clocks:
    """All clocks; offset_s is how far the campaign is ahead of real time, skews_s what each publisher adds to it.

    database_skew_s is what the database adds.
    """

    folder: Path
    control: httpx.Client
    owner: Database
    n_publishers: int
    chance: Random
    offset_s: float = 0.0
    skews_s: list[float] = field(default_factory=list)
    database_skew_s: float = 0.0
    jumps: int = 0

    def start(self) -> None:
        """Let the database stamp attempts by the campaign's clock, and the publishers' clocks be right."""
        with self.owner.transaction() as tx:
            tx.connection.execute(IN_THE_DATABASE)
        self.skews_s = [0.0] * self.n_publishers
        self._write()

    def file(self, publisher: int) -> Path:
        """What a publisher's clock is read from: seconds ahead of real time."""
        return self.folder / f"clock-{publisher}"

    def now(self) -> datetime:
        """What publishers go by, aware: the database's time."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_s + self.database_skew_s)

    def jump(self, seconds: float) -> None:
        """Let time pass for everybody: first where limits are counted, last where they are kept."""
        self.control.post("/sandbox/clock", json={"advance_s": seconds}).raise_for_status()
        with self.owner.transaction() as tx:
            tx.connection.execute("update campaign_clock set offset_s = offset_s + %s", (seconds,))
        self.offset_s += seconds
        self.jumps += 1
        self._write()

    def skew_database(self) -> None:
        """Set the database's clock anew, wrong by up to `LARGEST_DATABASE_SKEW_S` either way."""
        self.database_skew_s = self.chance.uniform(-LARGEST_DATABASE_SKEW_S, LARGEST_DATABASE_SKEW_S)
        with self.owner.transaction() as tx:
            tx.connection.execute("update campaign_clock set skew_s = %s", (self.database_skew_s,))

    def skew_publisher(self) -> None:
        """Set the clock of a publisher's machine anew, wrong by up to `LARGEST_SKEW_S` either way."""
        which = self.chance.randrange(self.n_publishers)
        self.skews_s[which] = self.chance.uniform(-LARGEST_SKEW_S, LARGEST_SKEW_S)
        self._write()

    def skew_sandbox(self) -> None:
        """Let the sandbox's clock alone run ahead by up to `FURTHEST_SANDBOX_S`."""
        seconds = self.chance.uniform(1.0, FURTHEST_SANDBOX_S)
        self.control.post("/sandbox/clock", json={"advance_s": seconds}).raise_for_status()

    def _write(self) -> None:
        for publisher, skew_s in enumerate(self.skews_s):
            path = self.file(publisher)
            fresh = path.with_name(f"{path.name}.new")
            fresh.write_text(repr(self.offset_s + skew_s), encoding="utf-8")
            fresh.replace(path)


def campaign_time(tx: Transaction) -> datetime:
    """What the database shows, for a publisher."""
    found: datetime = tx.connection.execute("select campaign_time() as at").fetchall()[0]["at"]
    return found


def require_time_machine() -> None:
    """Raises ConfigInvalid where the library is missing that sets clocks of processes wrong."""
    if find_spec("time_machine") is None:
        raise ConfigInvalid(
            "the campaign sets publishers' clocks wrong with time-machine, which is not installed",
            fix="Install it: pip install -e '.[campaign]'.",
        )
