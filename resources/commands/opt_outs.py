"""The block list: put authors on it, one or a file of them, and take off whom a person put there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.opt_outs import save_opt_out, storable, withdraw_author
from resources.store.publications import cancel_withdrawn

BY_HAND = "put on the block list by a person"
_HANDLE = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Blocked:
    """What came of blocking: authors who are new on the list, those known before, posts that were withdrawn.

    unreadable: lines of a file that name nobody, with their numbers.
    """

    new: int
    known: int
    withdrawn: int
    unreadable: tuple[str, ...] = ()


def handle_of(text: str) -> str:
    """A handle as it is compared.

    Raises:
        ConfigInvalid: the text is no handle.

    >>> handle_of(" @Ada "), handle_of("/u/Ada-L")
    ('ada', 'ada-l')
    """
    handle = re.sub(r"^(@|/?u/)", "", text.strip()).lower()
    if not _HANDLE.fullmatch(handle):
        raise ConfigInvalid(f"No handle: {text.strip()[:80]!r}.", fix="Write it as @name or u/name.")
    return handle


def add_opt_out(
    db: Database,
    actor: Actor,
    platform: str,
    author: str,
    *,
    reason: str = "",
    is_asked: bool = False,
    is_rehearsal: bool = False,
) -> Blocked:
    """Leave an author alone from now on, and withdraw what is open about their posts.

    Args:
        db: the application's pool.
        actor: who does it; an approver.
        platform: where the author is.
        author: the handle.
        reason: why; any words.
        is_asked: the author asked for it elsewhere, such as in a letter: then it is for ever.
        is_rehearsal: it holds on sandbox channels alone.

    Raises:
        NotAllowed: the actor's role does not block authors.
        ConfigInvalid: no handle, or no channel is on that platform.
    """
    line = f"{handle_of(author)},{reason}"
    return import_opt_outs(db, actor, platform, [line], is_asked=is_asked, is_rehearsal=is_rehearsal)


def import_opt_outs(
    db: Database,
    actor: Actor,
    platform: str,
    lines: Iterable[str],
    *,
    is_asked: bool = False,
    is_rehearsal: bool = False,
) -> Blocked:
    """Leave many authors alone: a handle a line, a reason after a comma if there is one, ``#`` before a remark.

    A line that names nobody is told of and does not keep the others from it.

    Raises:
        NotAllowed, ConfigInvalid: as for `add_opt_out`.
    """
    new = known = withdrawn = 0
    unreadable: list[str] = []
    with db.transaction() as tx:
        acting = authorise(tx, actor, "block_author")
        _need_platform(tx, platform)
        for number, line in enumerate(lines, 1):
            handle, _, reason = line.partition(",")
            if not handle.strip() or handle.lstrip().startswith("#"):
                continue
            try:
                author = handle_of(handle)
            except ConfigInvalid:
                unreadable.append(f"line {number}: {handle.strip()[:80]!r} is no handle")
                continue
            how = {
                "reason": storable(reason.strip()) or BY_HAND,
                "is_asked": is_asked,
                "is_rehearsal": is_rehearsal,
            }
            is_new, n = _block(tx, acting, platform, author, how)
            new, known, withdrawn = new + is_new, known + (not is_new), withdrawn + n
        cancel_withdrawn(tx)
    return Blocked(new, known, withdrawn, tuple(unreadable))


def _block(
    tx: Transaction, actor: Actor, platform: str, author: str, how: dict[str, Any]
) -> tuple[bool, int]:
    is_new = save_opt_out(tx, platform, author, **how, person_id=actor.person_id)
    withdrawn = withdraw_author(tx, platform, author, is_rehearsal=how["is_rehearsal"])
    if is_new:
        diff = {"platform": platform, "author": author, **how}
        record(tx, actor, "opt_out", "opt_out", None, diff | {"withdrawn": withdrawn})
    return is_new, withdrawn


def _need_platform(tx: Transaction, platform: str) -> None:
    known = sorted({row["platform"] for row in tx.rows("list_channels")} | {"x", "reddit"})
    if platform not in known:
        raise ConfigInvalid(f"No platform {platform!r}.", fix=f"Use one of {', '.join(known)}.")


def remove_opt_out(
    db: Database, actor: Actor, platform: str, author: str, *, is_rehearsal: bool = False
) -> None:
    """Take an author off the block list whom a person put there.

    Posts that were withdrawn stay so; new ones are heard again.

    Raises:
        NotAllowed: the actor is no admin, or the author asked to be left alone: that is honoured for ever.
        ConfigInvalid: the author is not on the list.
    """
    handle = handle_of(author)
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        which: dict[str, Any] = {"platform": platform, "author": handle, "is_rehearsal": is_rehearsal}
        is_asked = tx.value("opt_out_standing", **which)
        if is_asked is None:
            raise ConfigInvalid(f"{handle} is not on the list of {platform}.", fix="`rejoinder optout list`")
        if is_asked:
            raise NotAllowed(f"{handle} asked to be left alone: that is honoured for ever")
        tx.execute("remove_block", **which)
        record(tx, acting, "opt_in", "opt_out", None, which)
