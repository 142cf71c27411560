"""The e-mail: a subject and a plain text; a burst becomes one letter that names the gravest and counts the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.notices.kinds import kind_of, rank
from rejoinder.notices.notice import Event, Notice, counted, stamp, worst

SHOWN = 50
SAID_FIRST = {"began": "", "reminded": "still: ", "ended": "over: "}
LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says; subject has no line break."""

    subject: str
    body: str


def letter(
    event: Event, notices: Sequence[Notice], *, installation: str, address: str | None = None
) -> Letter:
    """A letter about one notice or many.

    Args:
        event: began, reminded or ended; all notices of a letter share it.
        notices: one or more.
        installation: the name of this installation, in the subject.
        address: of the review app, where people can look.
    """
    gravest_first = sorted(notices, key=lambda n: (-rank(n.severity), n.id))
    lines = [*_counts(notices), *(_paragraph(n) for n in gravest_first[:SHOWN])]
    if len(notices) > SHOWN:
        lines.append(f"And {len(notices) - SHOWN} more, counted above.")
    lines.append(f"{address or 'The review app'}: the page Trouble shows what nobody has read yet.")
    return Letter(_subject(event, notices, installation), "\n\n".join(lines) + "\n")


def _subject(event: Event, notices: Sequence[Notice], installation: str) -> str:
    kinds = counted(notices)
    what = kind_of(kinds[0][0]).title if len(kinds) == 1 else f"{len(notices)} notices"
    times = f" ({len(notices)} times)" if len(kinds) == 1 and len(notices) > 1 else ""
    subject = f"[{installation}] {worst(notices)}: {SAID_FIRST[event]}{what}{times}"
    plain = "".join(c if c.isprintable() else " " for c in subject)
    return " ".join(plain.split())[:LONGEST_SUBJECT].rstrip()


def _counts(notices: Sequence[Notice]) -> list[str]:
    if len(notices) == 1:
        return []
    return ["\n".join(f"{n:>5}  {kind_of(kind).title} ({kind})" for kind, n in counted(notices))]


def _paragraph(notice: Notice) -> str:
    over = f", over since {stamp(notice.ended_at)}" if notice.ended_at else ""
    about = f", about {notice.about}" if notice.about else ""
    head = f"{stamp(notice.created_at)}  {notice.severity}  {notice.kind}{about}{over}"
    return f"{head}\n{kind_of(notice.kind).title}\n{notice.told}"
