"""Hearing: polls of every enabled channel, each saved with its cursor; what cannot be read goes to quarantine."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.ids import ChannelId, sha256_hex
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.clients import OpenClient, reading_clients
from resources.new_posts import answers_among, is_own, new_post
from resources.platforms.failures import AuthExpired, PlatformFailure, Refused, SpendStopped
from resources.platforms.port import Heard, PlatformClient, Unreadable
from resources.platforms.streaming import bound_first_search
from resources.postgres import Database, Transaction
from resources.standings import withdraw_earlier
from resources.store.channel_states import State, read_states, set_state
from resources.store.channels import Channel, load_cursor, save_cursor
from resources.store.follow_ups import note_follow_ups, own_accounts
from resources.store.opt_outs import left_alone_among, note_requests, storable
from resources.store.posts import insert_posts
from resources.store.publications import notify
from resources.store.refused_rules import put_aside
from resources.tuning import Tuning
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.listening")

CURSOR = "hear"
MAX_POLLS = 100
# A post that was known is not read again for a request to be left alone.
HEEDED = ("new", "edited")
LONGEST_EXCERPT = 500


@dataclass(slots=True)
class HeardCounts:
    """Posts of one channel: new, known before, edited since, unreadable, and of authors who opted out."""

    new: int = 0
    known: int = 0
    edited: int = 0
    quarantined: int = 0
    opted_out: int = 0

    @property
    def seen(self) -> int:
        """Everything that came in."""
        return self.new + self.known + self.edited + self.quarantined + self.opted_out


@dataclass(slots=True)
class HeardReport:
    """What was heard, by channel; errors by message."""

    channels: dict[str, HeardCounts] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    is_stopped: bool = False

    @property
    def new(self) -> int:
        """New posts of all channels."""
        return sum(counts.new for counts in self.channels.values())

    def counts(self, channel: Channel) -> HeardCounts:
        """The counts of a channel, to add to."""
        return self.channels.setdefault(channel.name, HeardCounts())

    def note(self, error: str) -> None:
        """Count a message."""
        self.errors[error] = self.errors.get(error, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def hear_all(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
) -> HeardReport:
    """Poll every enabled channel until it has nothing new; a channel that fails does not hold up the others.

    Each poll's posts are saved together with the cursor, so a run that is killed hears the same posts
    again and knows them.

    Args:
        db: as the application's login.
        open_client: makes or gives the client of a channel.
        tuning: of the whole installation.
        stop: asked between two polls.
        progress: told how many posts came in.

    Raises:
        ServiceUnavailable: PostgreSQL went away.
    """
    report = HeardReport()
    started = time.monotonic()
    for channel, client in open_listening(db, open_client, report, tuning):
        try:
            hear_channel(db, channel, client, stop=stop, progress=progress, counts=report.counts(channel))
        except PlatformFailure as error:
            log.warning("channel %s: %s", channel.name, error)
            report.note(f"channel {channel.name}: {error.kind}: {error}")
            tell(db, channel, *listen_state(error))
        else:
            tell(db, channel, "polling")
    report.seconds = time.monotonic() - started
    report.is_stopped = stop.is_set()
    return report


def listen_state(error: PlatformFailure) -> tuple[State, str]:
    """What a channel that met this does until its next poll, and the words for people.

    >>> listen_state(SpendStopped(datetime(2026, 11, 2, tzinfo=UTC), "the day's budget is spent"))
    ('stopped', "the day's budget is spent")
    """
    if isinstance(error, AuthExpired | Refused):
        return "refused", str(error)
    if isinstance(error, SpendStopped):  # it says itself when it goes on: budgets turn with our clock
        return "stopped", str(error)
    until = (
        f"; goes on at {error.retry_at:%Y-%m-%d %H:%M} UTC of the platform's time" if error.retry_at else ""
    )
    return "waiting", f"{error}{until}"


def tell(db: Database, channel: Channel, state: State, detail: str = "") -> None:
    """Say for people what a channel does; after a good poll what was told of a stream or of a gap stays."""
    with db.transaction() as tx:
        now = {one.state for one in read_states(tx) if (one.channel_id, one.part) == (channel.id, "listen")}
        if state != "polling" or not now & {"polling", "streaming"}:
            set_state(tx, channel.id, "listen", state, detail)


def open_channels(
    db: Database, open_client: OpenClient, report: HeardReport
) -> list[tuple[Channel, PlatformClient]]:
    """Every enabled channel with its client; one whose credential will not do is noted."""
    return reading_clients(db, open_client, report.note)


def open_listening(
    db: Database, open_client: OpenClient, report: HeardReport, tuning: Tuning
) -> list[tuple[Channel, PlatformClient]]:
    """The same for listening: a new rule does not read a whole week, but for the sandbox's, which costs nothing."""
    opened, most = open_channels(db, open_client, report), timedelta(hours=tuning.listening.first_look_back_h)
    for channel, client in opened:
        bound_first_search(client, None if channel.is_sandbox else most)
    return opened


def hear_channel(
    db: Database,
    channel: Channel,
    client: PlatformClient,
    *,
    stop: StopSignal,
    counts: HeardCounts,
    progress: Progress | None = None,
) -> None:
    """Poll one channel until it has nothing new.

    Raises:
        PlatformFailure: the platform does not answer; what was heard before it stands.
    """
    for _ in range(MAX_POLLS):
        if stop.is_set():
            return
        with db.transaction() as tx:
            cursor = load_cursor(tx, channel.id, CURSOR)
            rules = active_rules(tx, channel.id)
        heard = client.hear(cursor, rules, channel.communities)
        before = counts.seen
        with db.transaction() as tx:
            save_heard(tx, channel, heard, counts)
        if progress:
            progress(counts.seen - before)
        if heard.is_complete or dict(heard.cursor) == cursor:
            return


def active_rules(tx: Transaction, channel_id: ChannelId) -> list[ListeningRule]:
    """The rules that a channel listens by."""
    return [ListeningRule(row["tag"], row["query"]) for row in tx.rows("active_rules", channel_id=channel_id)]


def save_heard(tx: Transaction, channel: Channel, heard: Heard, counts: HeardCounts) -> None:
    """Save a poll: its posts, what could not be read, and where to go on."""
    save_posts(tx, channel, heard.posts, counts)
    for item in heard.unreadable:
        quarantine(tx, channel, item, counts)
    put_aside(tx, channel, heard.refused)
    save_cursor(tx, channel.id, CURSOR, dict(heard.cursor))
    if heard.gaps:
        message = f"Channel {channel.name} missed posts: {'; '.join(heard.gaps)}"
        since = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        notify(tx, "listen_gap", message, "channel", channel.id, since=since)
        set_state(
            tx,
            channel.id,
            "listen",
            "polling",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}: {'; '.join(heard.gaps)}",
        )


def save_posts(
    tx: Transaction,
    channel: Channel,
    posts: Sequence[Post],
    counts: HeardCounts,
    *,
    archived_before: datetime | None = None,
) -> None:
    """Save posts, each once, but for those of authors who asked not to be answered. Our own never go to triage.

    Args:
        tx: to save in.
        channel: that heard them.
        posts: any number; a thousand at a time is a good measure.
        counts: is added to.
        archived_before: they come out of an archive; those older than this never go to triage. None: just heard.
    """
    left_alone = left_alone_among(tx, channel, posts)
    kept = [post for post in posts if not left_alone.has(post)]
    counts.opted_out += len(posts) - len(kept)
    now = datetime.now(UTC)
    own = own_accounts(tx, channel.id)
    answers = answers_among(tx, channel, kept, own)
    news = [
        new_post(channel, post, now, archived_before, answers.get(post.platform_post_id), own)
        for post in kept
    ]
    saved = insert_posts(tx, channel.id, news, from_archive=archived_before is not None)
    for post, (outcome, reason) in zip(kept, saved, strict=True):
        if outcome == "unstorable":
            item = Unreadable(post.platform_post_id, post.text, f"cannot be stored: {reason}")
            quarantine(tx, channel, item, counts)
        else:
            setattr(counts, outcome, getattr(counts, outcome) + 1)
    fresh = [post.platform_post_id for post, one in zip(kept, saved, strict=True) if one.outcome == "new"]
    note_follow_ups(tx, channel.platform, {one: answers[one].follow_up for one in fresh if one in answers})
    withdraw_earlier(tx, channel.platform, kept, now)
    heeded = [post for post, one in zip(kept, saved, strict=True) if one.outcome in HEEDED]
    # Whom a person blocked may ask for it too: then nobody takes that back.
    heeded += [post for post in posts if left_alone.has(post)]
    note_requests(tx, channel, [post for post in heeded if not is_own(post, own)])


def quarantine(tx: Transaction, channel: Channel, item: Unreadable, counts: HeardCounts) -> None:
    """Keep what is no post, or cannot be stored, with its reason; once, however often it comes."""
    raw = storable(item.raw)
    tx.execute(
        "quarantine_input",
        kind="post",
        name=storable(f"{channel.platform}:{item.raw_id or 'unnamed'}"),
        reason=storable(item.reason),
        content_hash=sha256_hex(raw),
        excerpt=raw[:LONGEST_EXCERPT],
    )
    counts.quarantined += 1
