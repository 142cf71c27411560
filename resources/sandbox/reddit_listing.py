"""Listings of Reddit: which things, in which order, and the page that was asked for."""

from collections.abc import Sequence

from resources.sandbox.exchange import Answer, Call
from resources.sandbox.posts import posts_by_seq
from resources.sandbox.reddit_shapes import listing, things

LISTING_CAP = 1000
STANDING = "platform = 'reddit' AND is_deleted = 0 AND removed_by IS NULL"


def communities(names: str) -> tuple[str, list[str]]:
    """A condition for things in one community, in several joined by ``+``, or in ``all``; and its values.

    >>> communities("a+b")
    ('community IN (?, ?)', ['a', 'b'])
    """
    wanted = names.split("+")
    if wanted == ["all"]:
        return "1", []
    return f"community IN ({', '.join('?' * len(wanted))})", wanted


def page(call: Call, where: str, values: Sequence[str]) -> Answer:
    """One page of the things that meet a condition, newest first."""
    rows = call.world.state.db.execute(
        f"SELECT seq, id FROM post WHERE {STANDING} AND {where}"  # noqa: S608 - conditions of this package
        " ORDER BY created_at DESC, seq DESC LIMIT ?",
        (*values, LISTING_CAP),
    ).fetchall()
    return cut_page(call, [(row["id"], row["seq"]) for row in rows])


def cut_page(call: Call, found: Sequence[tuple[str, int]]) -> Answer:
    """The page that was asked for, out of pairs of id and place in the order of the listing."""
    first, last = page_bounds(call, [name for name, _ in found])
    wanted = found[first:last]
    after = wanted[-1][0] if wanted and last < len(found) else None
    before = wanted[0][0] if wanted and first > 0 else None
    posts = posts_by_seq(call.world.state, [seq for _, seq in wanted])
    return Answer(200, listing(things(call, posts), after, before))


def page_bounds(call: Call, names: list[str]) -> tuple[int, int]:
    """Where a page starts and ends; a name that is not in the listing gives an empty page."""
    size = page_size(call)
    after, before = call.query.get("after"), call.query.get("before")
    anchor = after or before
    if not anchor:
        return 0, size
    if anchor not in names:
        return 0, 0
    at = names.index(anchor)
    return (at + 1, at + 1 + size) if after else (max(0, at - size), at)


def page_size(call: Call) -> int:
    """limit, 1 to 100; 25 when it is not given."""
    given = call.query.get("limit", "25")
    return min(max(int(given), 1), 100) if given.isdecimal() and len(given) < 10 else 25
