"""Deletions and edits: heard posts are looked up again, and what changed there changes here.

A post that its platform shows no more is withdrawn at once, so that nothing is published about it; it is looked for
once more and then purged with all that was made of it, within the retention time of its channel's policy. A post that
reads otherwise goes back to triage, and an approval of a reply to the old wording is void.

The duty does not end with listening: a disabled channel of a real platform is looked up like any other, as long as its
credential reads. Where none is there, or the platform takes it no more, nobody can see what was deleted: what the
platform did not speak of within the retention time is purged.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from rejoinder.listening.post import Post
from rejoinder.listening.standing import RecheckTerms, Verdict, judge, recheck_terms
from resources.clients import OpenClient, reading_clients
from resources.listening import HeardCounts, HeardReport, open_channels, save_posts
from resources.platforms.failures import AuthExpired, PlatformFailure, SpendStopped
from resources.platforms.port import PlatformClient, Standing
from resources.postgres import Database
from resources.purging import purge_posts
from resources.standings import Found, note_found
from resources.store.channel_states import State, set_state
from resources.store.channels import Channel, enabled_channels, resting_channels
from resources.store.opt_outs import note_requests
from resources.tuning import Tuning
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.compliance")

BATCH, SMALLEST_BATCH = 100, 10
ASKED_AGAIN = timedelta(minutes=10)


@dataclass(slots=True)
class StandingReport:
    """What became of the posts that were looked up, by channel; errors by message.

    Counted are the verdicts of `rejoinder.listening.standing`, ``unsaid`` where the platform did not answer for a post,
    and ``purged``.
    """

    channels: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    is_stopped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def terms_of(channel: Channel) -> RecheckTerms:
    """How often the posts of a channel are looked up, by its policy."""
    return recheck_terms(channel.policy.retention_s, channel.policy.recheck_s)


def recheck_posts(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
    now: Callable[[], datetime] = utc_now,
) -> StandingReport:
    """Look up every post that is due on every channel; a channel that fails does not hold up the others.

    Args:
        db: as the application's login.
        open_client: makes or gives the client of a channel.
        tuning: says how long posts at rest are kept.
        stop: asked between two lookups.
        progress: told how many posts were looked up.
        now: the time that terms are counted by.

    Raises:
        ServiceUnavailable: PostgreSQL went away.
    """
    report, heard = StandingReport(), HeardReport()
    started = time.monotonic()
    watches = [Watch(channel, client) for channel, client in open_channels(db, open_client, heard)]
    for watch in (*watches, *resting_watches(db, open_client, heard)):
        check = _Check(db, watch, stop, progress, now)
        try:
            check.run(keep_days=tuning.compliance.keep_days)
        except PlatformFailure as error:
            log.warning("channel %s: %s", watch.channel.name, error)
            heard.note(f"channel {watch.channel.name}: {error.kind}: {error}")
        report.channels[watch.channel.name] = dict(+check.counts)
    report.errors |= heard.errors
    report.seconds = time.monotonic() - started
    report.is_stopped = stop.is_set()
    return report


@dataclass(frozen=True, slots=True)
class Watch:
    """A channel whose posts are looked up; client is None where nobody can ask, is_resting where it is disabled."""

    channel: Channel
    client: PlatformClient | None
    is_resting: bool = False


def resting_watches(db: Database, open_client: OpenClient, told: HeardReport) -> list[Watch]:
    """The disabled channels of which posts are kept; one whose credential does not open is told of and left out."""
    with db.transaction() as tx:
        resting = resting_channels(tx)
    able = [channel for channel, has_credential in resting if has_credential]
    opened = reading_clients(db, open_client, told.note, able) if able else []
    unasked = [Watch(channel, None, True) for channel, has_credential in resting if not has_credential]
    return [*(Watch(channel, client, True) for channel, client in opened), *unasked]


def count_to_recheck(db: Database, now: Callable[[], datetime] = utc_now) -> int:
    """How many posts are to be looked up now, on all channels, or to be purged because nobody can."""
    with db.transaction() as tx:
        resting = resting_channels(tx)
        asked = [*enabled_channels(tx), *(channel for channel, has_credential in resting if has_credential)]
        due = [
            tx.value("count_posts_to_check", channel_id=channel.id, **_bounds(terms_of(channel), now()))
            for channel in asked
        ]
        late = [
            tx.value("count_posts_never_seen", channel_id=channel.id, seen_before=_kept_since(channel, now()))
            for channel, has_credential in resting
            if not has_credential
        ]
    return sum(map(int, (*due, *late)))


def _bounds(terms: RecheckTerms, now: datetime) -> dict[str, Any]:
    return {
        "checked_before": now - timedelta(seconds=terms.recheck_s),
        "gone_before": now - timedelta(seconds=terms.confirm_s),
        "asked_before": now - ASKED_AGAIN,
    }


def _kept_since(channel: Channel, now: datetime) -> datetime:
    """What was not seen since then on the platform may not be kept."""
    return now - timedelta(seconds=channel.policy.retention_s)


@dataclass(slots=True)
class _Check:
    """The lookups of one channel."""

    db: Database
    watch: Watch
    stop: StopSignal
    progress: Progress | None
    now: Callable[[], datetime]
    counts: Counter[str] = field(default_factory=Counter)
    batch: int = BATCH
    is_blind: bool = False

    @property
    def channel(self) -> Channel:
        """Whose posts they are."""
        return self.watch.channel

    def run(self, *, keep_days: int) -> None:
        """Look up what is due, batch by batch, then purge what may not wait or has lain long enough."""
        started = self.now()
        self.is_blind = self.watch.client is None
        try:
            while (
                self.watch.client
                and not self.stop.is_set()
                and self._look_up_some(self.watch.client, started)
            ):
                pass
        except SpendStopped as error:
            self._say("stopped", str(error))
            raise
        except AuthExpired:
            self.is_blind = self.watch.is_resting
            raise
        else:
            self._say("ok", f"posts are looked up every {terms_of(self.channel).recheck_s / 3600:g} h")
        finally:
            # Also where the platform does not answer: the term runs on.
            self._purge(keep_days)

    def _look_up_some(self, client: PlatformClient, started: datetime) -> bool:
        """One lookup; False where nothing is due that was not looked up since the start."""
        now = self.now()
        # However short the terms are, no post is looked up twice: the rest of the work has its turn.
        bounds = {name: min(at, started) for name, at in _bounds(terms_of(self.channel), now).items()}
        with self.db.transaction() as tx:
            due = tx.rows(
                "claim_posts_to_check", channel_id=self.channel.id, most=self.batch, now=now, **bounds
            )
        if not due:
            return False
        due, standings = self._ask(client, due)
        found = judged(due, standings)
        with self.db.transaction() as tx:
            self.counts += note_found(tx, found, self.now())
            # The newer version also where the publisher saw first that this one was replaced.
            save_posts(tx, self.channel, _read_as(found, "replaced", "purge"), HeardCounts())
            note_requests(tx, self.channel, _read_as(found, "edited"))
        self.counts["unsaid"] += len(due) - len(found)
        if self.progress:
            self.progress(len(due))
        return True

    def _ask(
        self, client: PlatformClient, due: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], dict[str, Standing]]:
        """What the platform says of these posts, or of the first few, where the budget has room for no more."""
        try:
            return due, client.look_up([row["platform_post_id"] for row in due])
        except SpendStopped:
            if len(due) <= SMALLEST_BATCH:
                raise
        self.batch = SMALLEST_BATCH  # the others of this batch are due again in ten minutes
        return self._ask(client, due[:SMALLEST_BATCH])

    def _purge(self, keep_days: int) -> None:
        """Purge what was gone for as long as may be, and what nobody will answer any more."""
        now, terms = self.now(), terms_of(self.channel)
        gone = {"gone_before": now - timedelta(seconds=terms.purge_s)}
        self._purge_all("posts_past_term", gone)
        with self.db.transaction() as tx:
            since = now - timedelta(seconds=terms.recheck_s)
            tx.execute("purge_late_answers", channel_id=self.channel.id, purged_since=since)
        if self.is_blind:
            self._purge_all("posts_never_seen", {"seen_before": _kept_since(self.channel, now)})
        self._forget_unasked(_kept_since(self.channel, now))
        if keep_days and not self.channel.policy.may_train:
            self._purge_all("posts_at_rest", {"heard_before": now - timedelta(days=keep_days)})

    def _forget_unasked(self, kept_since: datetime) -> None:
        """Forget what is kept of others' words and never looked up: threads, and what could not be read."""
        with self.db.transaction() as tx:
            tx.execute("forget_threads", channel_id=self.channel.id, kept_since=kept_since)
            if not self.channel.policy.may_train:
                tx.execute("forget_unreadable", platform=self.channel.platform, kept_since=kept_since)

    def _purge_all(self, statement: LiteralString, bounds: Mapping[str, Any]) -> None:
        while True:
            with self.db.transaction() as tx:
                rows = tx.rows(statement, channel_id=self.channel.id, most=BATCH, **bounds)
                purged = purge_posts(tx, [row["id"] for row in rows], self.now())
            self.counts["purged"] += purged
            if purged < BATCH:
                return

    def _say(self, state: State, detail: str) -> None:
        with self.db.transaction() as tx:
            set_state(tx, self.channel.id, "compliance", state, detail)


def judged(due: Sequence[Mapping[str, Any]], standings: Mapping[str, Standing]) -> list[Found]:
    """The verdict on each post for which the platform answered."""
    found = []
    for row in due:
        standing = standings.get(row["platform_post_id"])
        if standing is not None:
            found.append(_found(row, standing))
    return found


def _found(row: Mapping[str, Any], standing: Standing) -> Found:
    now = standing.post
    text_now = None if now is None else now.text
    is_replaced = now is not None and now.platform_post_id != row["platform_post_id"]
    verdict = judge(
        text=row["text"], gone_at=row["gone_at"], text_now=text_now, is_replaced=is_replaced,
        is_said=standing.is_said,
    )  # fmt: skip
    return Found(row["id"], verdict, now)


def _read_as(found: Sequence[Found], *verdicts: Verdict) -> list[Post]:
    """How posts with one of these verdicts read now, where they do."""
    return [one.now for one in found if one.now and one.verdict in verdicts]
