"""The page a person looks at: the clock, the counts, and posts with their replies."""

from html import escape

from resources.sandbox.clock import iso
from resources.sandbox.engagement import gathered_by
from resources.sandbox.exchange import World
from resources.sandbox.posts import SandboxPost, find_post, from_row
from resources.sandbox.witness import summarize

MOST_POSTS = 200
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
header p { color: #5a6675; } article { border-top: 1px solid #d8dee6; padding: .8rem 0; }
.who { color: #5a6675; font-size: .85rem; } .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; }
.reply { margin: .6rem 0 0 1.2rem; padding: .5rem .8rem; background: #eef4ff; border-left: 3px solid #3267d6; }
"""


def render_page(world: World) -> str:
    """The whole page as HTML; everything that came in from outside is escaped."""
    posts = shown_posts(world)
    counts = summarize(world.state)
    head = (
        f"<p>Simulated time {iso(world.clock.now())} · account @{escape(world.credentials.account)}</p>"
        f"<p>{counts['posts']} posts · {counts['published']} replies published · "
        f"{counts['duplicates']} duplicates · {counts['refused']} write requests refused</p>"
    )
    body = "".join(render_post(world, post) for post in posts) or "<p>No posts are loaded.</p>"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Rejoinder sandbox</title>"
        "<meta name='viewport' content='width=device-width'>"
        f"<style>{STYLE}</style></head><body><header><h1>Sandbox</h1>{head}</header>{body}</body></html>"
    )


def shown_posts(world: World) -> list[SandboxPost]:
    """Posts with replies first, then the newest ones."""
    rows = world.state.db.execute(
        "SELECT p.*, (SELECT max(r.seq) FROM post r WHERE r.platform = p.platform AND r.parent_id = p.id"
        " AND r.is_own = 1) AS answered FROM post p WHERE p.is_own = 0"
        " ORDER BY answered IS NULL, answered DESC, p.created_at DESC LIMIT ?",
        (MOST_POSTS,),
    )
    return [from_row(row) for row in rows]


def render_post(world: World, post: SandboxPost) -> str:
    """One post with the account's replies under it."""
    rows = world.state.db.execute(
        "SELECT * FROM post WHERE platform = ? AND parent_id = ? AND is_own = 1 ORDER BY seq",
        (post.platform, post.id),
    )
    replies = "".join(render_reply(world, from_row(row)) for row in rows)
    place = f"r/{post.community}" if post.platform == "reddit" else "X"
    counts = ", ".join(f"{count} {name}" for name, count in post.metrics.items())
    return (
        f"<article id='{escape(post.id)}'><div class='who'>{escape(place)} · {escape(post.author or 'unknown')} · "
        f"{iso(post.created_at)} · {escape(counts)}</div>{render_text(post)}{replies}</article>"
    )


def render_reply(world: World, reply: SandboxPost) -> str:
    """One reply with its engagement now."""
    parent = find_post(world.state, reply.platform, reply.parent_id) if reply.parent_id else None
    own = gathered_by(reply, parent, world.clock.now())
    counts = f"{own.likes} likes, {own.replies} replies, {own.reposts} reposts, {own.impressions} impressions"
    return (
        f"<div class='reply' id='{escape(reply.id)}'><div class='who'>@{escape(reply.author or '')} · "
        f"{iso(reply.created_at)} · {counts}</div>{render_text(reply)}</div>"
    )


def render_text(post: SandboxPost) -> str:
    """A text, or a note that it was deleted."""
    return (
        "<div class='text'><em>deleted</em></div>"
        if post.is_deleted
        else (f"<div class='text'>{escape(post.text)}</div>")
    )
