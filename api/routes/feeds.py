"""Feeds that are followed: the list, and whether one goes on to be looked at. One begins with its address."""

from fastapi import APIRouter

from api.callers import Caller, MayRead, MayWrite
from api.desk import AtDesk, Desk
from api.problems import Refusal, documented
from api.routes.sources import READING
from api.schemas.sources import Feed, Feeds, Follow
from resources.commands.sources import follow_feed
from resources.store.source_list import FeedRow, list_feeds

router = APIRouter(prefix="/feeds", tags=["feeds"])


@router.get("", responses=READING)
async def feeds(desk: AtDesk, caller: MayRead) -> Feeds:
    """List feeds with when each was and will be looked at. Scope: `sources:read`."""
    return Feeds(feeds=[Feed.model_validate(row) for row in await desk.workers.run(_feeds, desk, caller)])


@router.patch("/{id}", responses={**READING, **documented("malformed", "not-found", "too-slow", "too-large")})
async def follow(id: int, asked: Follow, desk: AtDesk, caller: MayWrite) -> Feed:
    """Go on, or stop, looking at a feed; what was read of it stays. Scope: `sources:write`."""
    return Feed.model_validate(await desk.workers.run(_follow, desk, caller, id, asked.is_followed))


def _feeds(desk: Desk, caller: Caller) -> tuple[FeedRow, ...]:
    with desk.bench.db.transaction() as tx:
        return list_feeds(tx, caller.project_id)


def _find(desk: Desk, caller: Caller, number: int) -> FeedRow:
    found = next((feed for feed in _feeds(desk, caller) if feed.id == number), None)
    if found is None:
        raise Refusal("not-found", f"There is no feed {number}.", fix="Look at GET /feeds for their numbers.")
    return found


def _follow(desk: Desk, caller: Caller, number: int, is_followed: bool) -> FeedRow:
    name = _find(desk, caller, number).name
    follow_feed(desk.bench.db, caller.actor, caller.project_id, name, is_followed=is_followed)
    return _find(desk, caller, number)
