"""What a fault campaign did: the sandbox's own log, compared with what was approved and with what is stored."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.publish_pauses import NEW_POSTS, Pause
from bench.publish_plan import Wanted

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may never happen, each counted; all are 0 where nothing did.

    duplicates: replies beyond the first of an account under one parent. unapproved: accepted texts that nobody
    approved for that place. out_of_order: parts that came before the part they follow. lost: publications that are
    stored as sent, with a part that does not stand. taken_for_refused: publications that are stored as refused,
    cancelled or given up though a part stands that is not stored as sent. misnamed: parts stored under an id that
    the platform gave to something else. unresolved: publications that came to no end. over_limits: requests that came
    though a limit of the platform was used up. while_paused: claims that were committed after a pause had returned and
    before it was ended, and requests that arrived then beyond those that had left before.
    """

    duplicates: int
    unapproved: int
    out_of_order: int
    lost: int
    taken_for_refused: int
    misnamed: int
    unresolved: int
    over_limits: int
    while_paused: int

    def counts(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the database has it at the end."""

    number: int
    position: int
    publication_state: str
    state: str
    platform_id: str | None


def judge(
    log: Sequence[Line],
    limits: Iterable[Mapping[str, Any]],
    wanted: Mapping[int, Wanted],
    parts: Sequence[Part],
    pauses: Iterable[Pause] = (),
) -> Verdict:
    """Count all of it.

    Args:
        log: of the sandbox, in order.
        limits: of the sandbox, per account.
        wanted: what was approved, by its number in the plan.
        parts: of all publications; number is that of the plan, position counts from 0.
        pauses: that are over.
    """
    accepted = [line for line in log if line["endpoint"] in NEW_POSTS and line["accepted"]]
    places = Counter((line["platform"], line["account"], line["parent_id"]) for line in accepted)
    standing, unapproved, out_of_order = _placed(accepted, wanted)
    sent = [part for part in parts if part.state == "sent"]
    ended = {"refused", "cancelled", "abandoned"}
    not_sent = {(p.number, p.position) for p in parts if p.publication_state in ended} - {
        (p.number, p.position) for p in sent
    }
    return Verdict(
        duplicates=sum(count - 1 for count in places.values()),
        unapproved=unapproved,
        out_of_order=out_of_order,
        lost=_lost(parts, standing),
        taken_for_refused=len(not_sent & standing.keys()),
        misnamed=sum(part.platform_id != standing.get((part.number, part.position)) for part in sent),
        unresolved=len({p.number for p in parts if p.publication_state in ("queued", "sending", "unknown")}),
        over_limits=sum(one["over"] for one in limits),
        while_paused=sum(one.broken for one in pauses),
    )


def _placed(
    accepted: Iterable[Line], wanted: Mapping[int, Wanted]
) -> tuple[dict[tuple[int, int], str], int, int]:
    """Ids by number and position, and how many texts had no place, or came before theirs was there."""
    heads = {(one.account.name, one.parent_id): (one.number, 0) for one in wanted.values()}
    texts = {(number, at): text for number, one in wanted.items() for at, text in enumerate(one.texts)}
    by_words = {
        (one.account.name, text): (number, at)
        for number, one in wanted.items()
        for at, text in enumerate(one.texts)
        if at
    }
    found: dict[tuple[int, int], str] = {}
    unapproved = out_of_order = 0
    for line in accepted:
        account = line["account"]
        place = heads.get((account, line["parent_id"]))
        if place is None or texts.get(place) != line["text"]:
            is_part = (account, line["text"]) in by_words
            out_of_order += is_part
            unapproved += not is_part
            continue
        found.setdefault(place, line["platform_id"])
        heads[(account, line["platform_id"])] = (place[0], place[1] + 1)
    return found, unapproved, out_of_order


def _lost(parts: Iterable[Part], standing: Mapping[tuple[int, int], str]) -> int:
    """Publications that are said to be sent, of which a part does not stand."""
    sent = [part for part in parts if part.publication_state == "sent"]
    return len({part.number for part in sent if (part.number, part.position) not in standing})
