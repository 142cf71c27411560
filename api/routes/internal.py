"""What services of one's own do: a step again, raw bytes, searching, and what went wrong."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller, MayRead, MaySearch, MayWrite
from api.desk import AtDesk, Desk
from api.problems import Refusal, documented
from api.routes.sources import READING, known
from api.schemas.searching import Passage, Passages, Search
from api.schemas.sources import (
    Accepted,
    DeadLetter,
    DeadLetters,
    Process,
    Quarantine,
    Retried,
    Retry,
    SetAside,
)
from api.sending import Attachment
from resources.commands.sources import Again, again
from resources.commands.upkeep import retry_in_project
from resources.searching import Found, find_passages
from resources.store.inputs import find_input, list_dead, list_quarantined

router = APIRouter(prefix="/internal", tags=["internal"])
BODY = documented("malformed", "too-slow", "too-large")
MISSING = documented("not-found")
Top = Annotated[int, Query(ge=1, le=500)]


async def _while_sent(desk: AtDesk, caller: MayRead) -> AsyncIterator[Caller]:
    """The caller, with a place that is held until the answer has been sent: FastAPI ends this only then."""
    async with desk.sending.hold():
        yield caller


Sent = Annotated[Caller, Depends(_while_sent)]


@router.post("/sources/{id}/process", status_code=202, responses={**READING, **BODY, **MISSING})
async def process(id: int, desk: AtDesk, caller: MayWrite, asked: Process | None = None) -> Accepted:
    """Do one step of a source again, and those after it; without a body `extract`. Scope: `sources:write`."""
    return await desk.workers.run(_process, desk, caller, id, (asked or Process()).step)


def _process(desk: Desk, caller: Caller, number: int, step: Again) -> Accepted:
    with desk.bench.db.transaction() as tx:
        found = known(find_input(tx, caller.project_id, number), number)
    again(desk.bench.db, caller.actor, caller.project_id, found.name, step)
    return Accepted(id=number, name=found.name, step=step)


@router.get(
    "/sources/{id}/content",
    responses={**READING, **MISSING, 200: {"content": {"application/octet-stream": {}}}},
    response_class=Response,
)
async def content(id: int, desk: AtDesk, caller: Sent) -> Response:
    """The raw bytes of a source as they came, for saving only. Scope: `sources:read`."""
    return Attachment(await desk.workers.run(_content, desk, caller, id))


def _content(desk: Desk, caller: Caller, number: int) -> bytes:
    with desk.bench.db.transaction() as tx:
        found = known(find_input(tx, caller.project_id, number), number)
    if found.raw_key is None:
        raise Refusal("not-found", f"No bytes of source {number} are kept.", fix="Give it again.")
    return desk.bench.objects.get(found.raw_key)


@router.post("/search/semantic", responses={**READING, **BODY})
async def search(asked: Search, desk: AtDesk, caller: MaySearch) -> Passages:
    """Find passages by meaning and by word, best first. Scope: `search`."""
    found = await desk.workers.run(find_passages, desk.bench, asked.question(), asked.k)
    return Passages(passages=[_passage(one) for one in found])


def _passage(found: Found) -> Passage:
    passage = found.passage
    fields = {name: getattr(passage, name) for name in Passage.model_fields if name != "url"}
    return Passage(url=found.url, **fields)


@router.get("/dead-letters", responses=READING)
async def dead_letters(desk: AtDesk, caller: MayRead, limit: Top = 50) -> DeadLetters:
    """Inputs that were given up, with the reason, the latest first. Scope: `sources:read`."""

    def find() -> DeadLetters:
        with desk.bench.db.transaction() as tx:
            rows = list_dead(tx, caller.project_id, limit)
        return DeadLetters(dead_letters=[DeadLetter.model_validate(row) for row in rows])

    return await desk.workers.run(find)


@router.get("/quarantine", responses=READING)
async def quarantine(desk: AtDesk, caller: MayRead, limit: Top = 50) -> Quarantine:
    """Inputs that could not be read, with the reason, the latest first. Scope: `sources:read`."""

    def find() -> Quarantine:
        with desk.bench.db.transaction() as tx:
            rows = list_quarantined(tx, caller.project_id, limit)
        return Quarantine(quarantined=[SetAside.model_validate(row) for row in rows])

    return await desk.workers.run(find)


@router.post("/retry", responses={**READING, **BODY})
async def try_again(asked: Retry, desk: AtDesk, caller: MayWrite) -> Retried:
    """Bring a step's dead inputs back to life and try its failed ones at once. Scope: `sources:write`."""
    done = await desk.workers.run(
        retry_in_project, desk.bench.db, caller.actor, caller.project_id, asked.step
    )
    return Retried(revived=sum(done.revived.values()), hurried=sum(done.hurried.values()))
