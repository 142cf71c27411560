"""What changes on the page: clock, counts, events to come, limits, faults, the timeline, posts with replies."""

from collections.abc import Iterable, Iterator
from html import escape

from resources.sandbox.clock import iso
from resources.sandbox.engagement import gathered_by
from resources.sandbox.exchange import World
from resources.sandbox.faults import waiting_faults
from resources.sandbox.limits import QUARTER_HOUR_S, create_quota
from resources.sandbox.posts import SandboxPost, find_post, from_row
from resources.sandbox.scenario_start import current_scenario
from resources.sandbox.timeline import moments, to_come
from resources.sandbox.witness import summarize
from resources.sandbox.x_settings import read_settings

MOST_ANSWERED = 50
NEXT_EVENTS = 8


def render_parts(world: World) -> str:
    """All of it as HTML; everything that came in from outside is escaped."""
    timeline = f"<h2>Timeline</h2><ol>{''.join(timeline_rows(world))}</ol>"
    side = render_events(world) + render_faults(world) + render_limits(world)
    return (
        f"<header>{render_head(world)}</header><div class='sides'><section>{timeline}{render_answered(world)}"
        f"</section><section class='side'>{side}</section></div>"
    )


def render_head(world: World) -> str:
    """The clock, the scenario and the counts."""
    now, speed, known = world.clock.now(), world.clock.speed().factor, current_scenario(world.state)
    pace = "stands still" if speed == 0 else "real speed" if speed == 1 else f"{speed:g} times real speed"
    scenario = (
        f"Scenario <b>{escape(known['name'])}</b>. {escape(known['description'])}"
        if known
        else "No scenario."
    )
    return (
        f"<h1>Sandbox</h1><p class='now'><span data-unix='{now!r}' data-speed='{speed!r}'>{clock_text(now)}</span>"
        f" UTC <span class='soft'>simulated · {pace}</span></p><p class='soft'>{scenario}</p>{render_counts(world)}"
    )


def render_counts(world: World) -> str:
    """The numbers of the witness, and who listens now."""
    counts, now = summarize(world.state), world.clock.now()
    cap = read_settings(world.state).posts_per_month
    read = world.usage.month(world.state, now)
    named = {
        "posts": counts["posts"],
        "replies published": counts["published"],
        "duplicates": counts["duplicates"],
        "write requests refused": counts["refused"],
        "open streams": world.open_streams,
        f"of {cap:,} X posts read this month": read,
    }
    accounts = ", ".join(f"@{escape(each.account)}" for each in world.credentials.accounts())
    items = "".join(f"<li><b>{count:,}</b> {name}</li>" for name, count in named.items())
    return f"<ul class='counts'>{items}<li class='soft'>{accounts}</li></ul>"


def timeline_rows(world: World) -> Iterator[str]:
    """What happened, newest first."""
    found = moments(world.state)
    if not found:
        yield "<li><span></span><span></span><div class='what soft'>Nothing has happened yet.</div></li>"
    for moment in found:
        failed = " failed" if moment.kind == "event" and moment.what.startswith("failed") else ""
        yield (
            f"<li class='{moment.kind}'><time title='{iso(moment.at)}'>{clock_text(moment.at)[11:]}</time>"
            f"<span class='kind'>{moment.kind}</span><div class='what{failed}'>"
            f"<span class='who'>{escape(moment.who)}</span><div class='text'>{escape(moment.what)}</div></div></li>"
        )


def render_events(world: World) -> str:
    """What the scenario does next."""
    now = world.clock.now()
    rows = [(f"in {span(at - now)}", kind, what) for at, kind, what in to_come(world.state, NEXT_EVENTS)]
    return table("Next events", ("when", "what", ""), rows, "No events to come.")


def render_faults(world: World) -> str:
    """Faults that wait for their calls."""
    rows = [
        (str(each["endpoint"]), str(each["kind"]), f"{each['times']} ×")
        for each in waiting_faults(world.state)
    ]
    return table("Faults waiting", ("endpoint", "kind", "#calls"), rows, "No fault waits.")


def render_limits(world: World) -> str:
    """What is left of every window that somebody has opened."""
    now = world.clock.now()
    return table(
        "Limits", ("endpoint", "#used", "#opens again"), [*x_limits(world, now), *reddit_limits(world, now)],
        "No call was counted yet.",
    )  # fmt: skip


def x_limits(world: World, now: float) -> Iterator[tuple[str, str, str]]:
    """X's windows of 15 minutes, and what each account may still post."""
    for (endpoint, who), (started, used) in sorted(world.windows.opened.items()):
        if now < started + QUARTER_HOUR_S:
            yield f"X {endpoint}, {who}", str(used), f"in {span(started + QUARTER_HOUR_S - now)}"
    for each in world.credentials.accounts():
        quota = create_quota(world.state, each.account, now)
        left = quota.remaining + quota.is_allowed  # the quota counts a call that is not made here
        if left < quota.limit:
            taken = f"{quota.limit - left} of {quota.limit}"
            yield f"X create, @{each.account}", taken, f"in {span(quota.reset - now)}"


def reddit_limits(world: World, now: float) -> Iterator[tuple[str, str, str]]:
    """Reddit's windows of ten minutes, by account."""
    for client, window in world.reddit_windows.current(now):
        name = client if client.startswith("agent ") else f"@{client.split(' ')[-1] or 'app'}"
        yield f"Reddit, {name}", f"{window.used} of {window.limit}", f"in {span(window.ends_at - now)}"


def table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], empty: str) -> str:
    """A table under a heading; a head with ``#`` is of numbers, at the right."""
    shown = list(rows)
    if not shown:
        return f"<h2>{title}</h2><p class='soft'>{empty}</p>"
    kinds = [" class='num'" if head.startswith("#") else "" for head in heads]
    top = "".join(f"<th{kind}>{head.lstrip('#')}</th>" for kind, head in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in shown
    )
    return f"<h2>{title}</h2><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def span(seconds: float) -> str:
    """A length of time in two of its units.

    >>> span(5), span(125), span(7260), span(90000)
    ('5 s', '2 min 5 s', '2 h 1 min', '1 d 1 h')
    """
    left = max(0, round(seconds))
    sizes = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in sizes:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def clock_text(at: float) -> str:
    """A time to the second, as the page shows it.

    >>> clock_text(0)
    '1970-01-01 00:00:00'
    """
    return iso(at)[:19].replace("T", " ")


def render_answered(world: World) -> str:
    """Posts that were answered, each with its replies and what they have gathered."""
    rows = world.state.db.execute(
        "SELECT p.*, max(r.seq) AS answered FROM post p JOIN post r ON r.platform = p.platform"
        " AND r.parent_id = p.id AND r.is_own = 1 GROUP BY p.seq ORDER BY answered DESC LIMIT ?",
        (MOST_ANSWERED,),
    )
    shown = "".join(render_post(world, from_row(row)) for row in rows)
    return f"<details open><summary>Answered posts</summary>{shown or no_replies()}</details>"


def no_replies() -> str:
    """What stands where replies would."""
    return "<p class='soft'>No reply was published yet.</p>"


def render_post(world: World, post: SandboxPost) -> str:
    """One post with the accounts' replies under it."""
    rows = world.state.db.execute(
        "SELECT * FROM post WHERE platform = ? AND parent_id = ? AND is_own = 1 ORDER BY seq",
        (post.platform, post.id),
    )
    replies = "".join(render_reply(world, from_row(row)) for row in rows)
    place = f"r/{post.community}" if post.platform == "reddit" else "X"
    return (
        f"<article><div class='who'>{escape(place)} · {escape(post.author or 'unknown')} · "
        f"{clock_text(post.created_at)}</div>{render_text(post)}{replies}</article>"
    )


def render_reply(world: World, reply: SandboxPost) -> str:
    """One reply with its engagement now."""
    parent = find_post(world.state, reply.platform, reply.parent_id) if reply.parent_id else None
    own = gathered_by(reply, parent, world.clock.now())
    counts = f"{own.likes} likes, {own.replies} replies, {own.reposts} reposts, {own.impressions} impressions"
    return (
        f"<div class='reply'><div class='who'>@{escape(reply.author or '')} · {clock_text(reply.created_at)} · "
        f"{counts}</div>{render_text(reply)}</div>"
    )


def render_text(post: SandboxPost) -> str:
    """A text, or a note that it is gone."""
    if post.is_deleted or post.removed_by:
        return f"<div class='text'><em>{'deleted' if post.is_deleted else 'removed'}</em></div>"
    return f"<div class='text'>{escape(post.text)}</div>"
