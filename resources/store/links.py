"""Addresses of our own that lead to a source, and what a reviewer is told about a reply's link."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rejoinder.drafting.citations import TITLE_LENGTHS, citation, citation_address
from rejoinder.drafting.link_proposals import LinkProposal, propose_link
from rejoinder.engagement.visits import OTHER_HOSTS, Visit
from rejoinder.ids import ChunkId, SourceId
from rejoinder.listening.policy import ChannelPolicy, Way
from rejoinder.research.evidence import Evidence
from rejoinder.review.links import carries
from resources.postgres import Transaction

# No vowels, so that no code spells a word; nothing that is taken for something else.
ALPHABET = "23456789bcdfghjkmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ"
# 12 of 47 characters: 66 bits, which nobody guesses.
CODE_LENGTH = 12
PATH = "/l/"
# Sites that a link's visits of one day are told apart by; the others are counted together.
MOST_HOSTS = 20


@dataclass(frozen=True, slots=True)
class CaseLink:
    """The link that a reply may carry: its address as it would stand there, and how the source may be cited.

    address is None where the source has none that everybody can open; cited has the longest form first. now is what
    would be proposed now, with the prices of now; proposal what was proposed before the draft, None where it is older
    than proposals are.
    """

    address: str | None
    cited: tuple[str, ...]
    now: LinkProposal
    proposal: LinkProposal | None


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A link of ours and what it brought so far; visits without bots, which stand apart."""

    code: str
    address: str
    target: str
    post_id: int
    created_at: datetime
    visits: int
    bot_visits: int
    conversions: int
    value_usd: float


def link_report(tx: Transaction, project_id: int, top: int) -> list[LinkReport]:
    """The links of a project, the newest first."""
    return [LinkReport(**row) for row in tx.rows("link_report", project_id=project_id, top=top)]


def new_code() -> str:
    """A code that nobody guesses, fit for an address."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def own_address(base: str, code: str) -> str:
    """The address of a link of ours.

    >>> own_address("https://go.example", "2b3c4d5f6g7h")
    'https://go.example/l/2b3c4d5f6g7h'
    """
    return f"{base}{PATH}{code}"


def tracked_links_of(tx: Transaction, post_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """By post: our addresses, by the address that each leads to."""
    found: dict[int, dict[str, str]] = {post_id: {} for post_id in post_ids}
    for row in tx.rows("tracked_links_of", post_ids=list(post_ids)):
        found[row["post_id"]][row["target"]] = row["address"]
    return found


def save_tracked_link(
    tx: Transaction, post_id: int, *, address: str, target: str, source_id: SourceId
) -> None:
    """Make an address of ours lead to a source, from now on and for ever."""
    code = address.rpartition("/")[2]
    tx.execute(
        "save_tracked_link", code=code, address=address, target=target, post_id=post_id, source_id=source_id
    )


def follow(tx: Transaction, code: str, visit: Visit | None, day: date) -> str | None:
    """Where a link leads, None where there is no such link; the visit is counted, if one is given.

    Args:
        tx: as the application's login.
        code: of the link.
        visit: what is counted of it.
        day: of the visit, in UTC.
    """
    row = tx.row(
        "follow_link",
        code=code,
        day=day,
        is_counted=visit is not None,
        referrer_host=visit.referrer_host if visit else "",
        is_bot=visit.is_bot if visit else False,
        most_hosts=MOST_HOSTS,
        other=OTHER_HOSTS,
    )
    return None if row is None else str(row["target"])


def case_link(
    tx: Transaction, post_id: int, policy: ChannelPolicy, *, way: Way, is_summoned: bool
) -> CaseLink | None:
    """The link that the reply to a post may carry; None where nothing was found to quote."""
    row = tx.row("case_link", post_id=post_id)
    if row is None:
        return None
    quoted = _quoted(row)
    target = row["drafted_address"] or citation_address(quoted)
    own = tracked_links_of(tx, [post_id])[post_id].get(target) if target else None
    address = _standing(row["draft_text"], target, own, policy)
    cited = tuple(dict.fromkeys(citation(quoted, max_title=length) for length in TITLE_LENGTHS))
    now = propose_link(policy, way=way, is_summoned=is_summoned, has_address=address is not None)
    return CaseLink(address, cited, now, _proposal(row))


def _standing(draft: str, target: str | None, own: str | None, policy: ChannelPolicy) -> str | None:
    """The address that the draft has; where it has none, the one that the channel would link by now."""
    if target is None or own is None:
        return target
    has_own, has_target = (carries(draft, address) for address in (own, target))
    is_own = has_own if has_own != has_target else policy.tracked_links
    return own if is_own else target


def _quoted(row: Mapping[str, object]) -> Evidence:
    fields = {key: row[key] for key in ("source_title", "source_url", "quote", "start_s", "speaker")}
    return Evidence(
        chunk_id=ChunkId(row["chunk_id"]),  # type: ignore[arg-type]
        source_id=SourceId(row["source_id"]),  # type: ignore[arg-type]
        support=0.0,
        verdict="related",
        reason="",
        **fields,  # type: ignore[arg-type]
    )


def _proposal(row: Mapping[str, object]) -> LinkProposal | None:
    if row["is_link_proposed"] is None:
        return None
    values = (row[key] for key in ("is_link_proposed", "link_reason", "price_usd", "price_with_link_usd"))
    return LinkProposal(*values)  # type: ignore[arg-type]
