"""The kill switch: stop what a channel, or everything, sends; and let it go on."""

from dataclasses import dataclass

from rejoinder.errors import ConfigInvalid, DecisionInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.publishing.switch import Pause, pauses_in_force
from resources.store.channels import Channel, channels_of
from resources.store.publications import notify

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Paused:
    """What a pause, or its end, came to.

    channel is None where everything was meant. changed: False where it was so already. in_hand: requests that had
    left before, and whose outcome is still to come. in_force: every pause that holds now.
    """

    channel: str | None
    changed: bool
    in_hand: int
    in_force: tuple[Pause, ...]


def pause(db: Database, actor: Actor, channel: str | None, *, reason: str) -> Paused:
    """Let nothing more out: when this returns, nothing new can leave, whatever publishers are running.

    Requests that have left already come to their outcome, and what was not seen is read back all the same. The owner
    of the machine may pause without an account.

    Args:
        db: as the application.
        actor: an approver, an admin or the owner of the machine.
        channel: its name; None pauses everything.
        reason: why, for who wonders; 1 to 500 characters.

    Raises:
        NotAllowed: the role does not allow it.
        DecisionInvalid: there is no reason.
        ConfigInvalid: no such channel.
    """
    said = reason.strip()
    if not 1 <= len(said) <= LONGEST_REASON:
        raise DecisionInvalid(f"say why, in up to {LONGEST_REASON} characters: --reason TEXT")
    with db.transaction() as tx:
        acting = authorise(tx, actor, "pause")
        wanted = _named(tx, channel)
        tx.execute("turn_switch")
        made = tx.value(
            "start_pause", channel_id=wanted.id if wanted else None, reason=said, person_id=acting.person_id
        )
        return _done(
            tx, acting, wanted, made, "pause", f"{_who(acting)} has paused {_what(wanted)}: {said}", said
        )


def resume(db: Database, actor: Actor, channel: str | None) -> Paused:
    """End a pause: that of the channel, or that of everything. What was due meanwhile goes out at its account's pace.

    A channel that was paused by itself stays so when everything is resumed.

    Raises:
        NotAllowed: the role does not allow it.
        ConfigInvalid: no such channel.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "resume")
        wanted = _named(tx, channel)
        tx.execute("turn_switch")
        ended = tx.row("end_pause", channel_id=wanted.id if wanted else None, person_id=acting.person_id)
        said = ended["reason"] if ended else ""
        made = ended["id"] if ended else None
        return _done(tx, acting, wanted, made, "resume", f"{_who(acting)} has resumed {_what(wanted)}", said)


def _named(tx: Transaction, name: str | None) -> Channel | None:
    if name is None:
        return None
    found = channels_of(tx, name)
    if not found:
        raise ConfigInvalid(f"There is no channel named {name}.", fix="`rejoinder channel list` shows them.")
    return found[0]


def _what(channel: Channel | None) -> str:
    return f"channel {channel.name}" if channel else "all publishing"


def _who(actor: Actor) -> str:
    return actor.name if actor.person_id is not None else "the owner of the machine"


def _done(
    tx: Transaction,
    actor: Actor,
    channel: Channel | None,
    made: int | None,
    deed: str,
    message: str,
    reason: str,
) -> Paused:
    if made is not None:
        diff = {"channel": channel.name if channel else None, "reason": reason}
        record(tx, actor, deed, "channel" if channel else "publishing", channel.id if channel else None, diff)
        notify(tx, f"{deed}d", message, "pause", made)
    return Paused(
        channel.name if channel else None,
        made is not None,
        int(tx.value("count_in_hand", channel_id=channel.id if channel else None)),
        tuple(pauses_in_force(tx)),
    )
