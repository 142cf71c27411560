"""Sources for other services: bring some in, see how far each is."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from starlette.datastructures import UploadFile

from api.callers import Caller, MayRead, MayWrite
from api.desk import AtDesk, Desk
from api.problems import Refusal, documented
from api.schemas.forms import STORABLE
from api.schemas.sources import Chapter, Contents, Enqueued, FromUrl, Source, SourceDetail, Sources, Step
from resources.commands.sources import add_upload, add_urls
from resources.inbox import open_intake
from resources.ingesting import Taken, name_of_file
from resources.store.inputs import Input, find_input, find_row, number_of, progress
from resources.store.source_list import (
    Show,
    SourceFilter,
    SourcePage,
    SourceRow,
    list_sources,
    load_source_page,
)

router = APIRouter(prefix="/sources", tags=["sources"])
Part = Annotated[str, StringConstraints(max_length=200), STORABLE]
State = Literal["all", "ready", "under_way", "trouble", "twins"]
READING = documented(
    "no-token", "token-refused", "scope-missing", "not-allowed", "invalid", "busy", "unavailable"
)
WRITING = {**READING, **documented("malformed", "too-slow", "too-large")}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Its bytes as they are.",
                        },
                        "name": {
                            "type": "string",
                            "maxLength": 500,
                            "description": "What it will be known by; without it the file's own name.",
                        },
                    },
                }
            }
        },
    }
}


@router.post("", status_code=202, responses={**WRITING, **documented("media-type")}, openapi_extra=UPLOAD)
async def upload(request: Request, response: Response, desk: AtDesk, caller: MayWrite) -> Enqueued:
    """Put a file in the queue: a transcript or a document. Scope: `sources:write`.

    What it is is told from its bytes. The same name with the same content is one source: nothing is read twice, and
    the answer is 200 with `unchanged`. Other content under a name that came over the API takes its place; a name that
    came another way keeps its source, and the file is known as `api/NAME`: `told_apart_from` then has the name.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Refusal("media-type", "A file comes as multipart/form-data, in the field `file`.")
    # Read here, not as a parameter: FastAPI would read a parameter's body before it asks for the token and a place.
    async with (
        desk.receiving.hold(),
        request.form(max_files=1, max_fields=1, max_part_size=4_096) as form,
    ):
        file, name = form.get("file"), form.get("name")
        if not isinstance(file, UploadFile):
            raise Refusal("invalid", "The field `file` is missing, or is no file.")
        known_as = name if isinstance(name, str) else file.filename or ""
        if "\0" in known_as:
            raise Refusal("invalid", "A name cannot hold the character U+0000.")
        return await desk.uploads.run(_take_file, desk, caller, known_as, file, response)


def _take_file(desk: Desk, caller: Caller, name: str, file: UploadFile, response: Response) -> Enqueued:
    intake = open_intake(desk.bench, caller.actor)
    taken = add_upload(intake, caller.actor, name, file.file.read(), origin="api")
    made = _enqueued(desk, caller, taken, response)
    asked_for = name_of_file(name.strip())
    return made if made.name == asked_for else made.model_copy(update={"told_apart_from": asked_for})


@router.post("/from-url", status_code=202, responses=WRITING)
async def from_url(asked: FromUrl, response: Response, desk: AtDesk, caller: MayWrite) -> Enqueued:
    """Put an address in the queue: of a transcript, a page or a feed, which is then followed. Scope: `sources:write`.

    Asking again for an address fetches it again; what has not changed is left alone.
    """
    return await desk.workers.run(_take_url, desk, caller, asked.url, response)


def _take_url(desk: Desk, caller: Caller, url: str, response: Response) -> Enqueued:
    intake = open_intake(desk.bench, caller.actor)
    return _enqueued(desk, caller, add_urls(intake, caller.actor, [url]), response)


def _enqueued(desk: Desk, caller: Caller, taken: Taken, response: Response) -> Enqueued:
    name = (taken.waiting or taken.unchanged)[0]
    with desk.bench.db.transaction() as tx:
        number = number_of(tx, caller.project_id, name)
    if not taken.waiting:
        response.status_code = 200
    if number is not None:
        response.headers["Location"] = f"/sources/{number}"
    return Enqueued(id=number, name=name, outcome="waiting" if taken.waiting else "unchanged")


@router.get("", responses=READING)
async def sources(
    desk: AtDesk,
    caller: MayRead,
    state: Annotated[State, Query(description="under_way: on its way; trouble: needs a person.")] = "all",
    search: Annotated[Part | None, Query(description="Only titles and names that hold this.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Sources:
    """List sources with where each stands, the latest changed first. Scope: `sources:read`."""
    show: Show = "under way" if state == "under_way" else state
    wanted = SourceFilter(show=show, search=search, top=limit, skip=offset)
    return await desk.workers.run(_list, desk, caller, wanted)


def _list(desk: Desk, caller: Caller, wanted: SourceFilter) -> Sources:
    with desk.bench.db.transaction() as tx:
        found = list_sources(tx, caller.project_id, wanted)
    rows = [Source.model_validate(row) for row in found.rows]
    return Sources(sources=rows, total=found.total, limit=wanted.top, offset=wanted.skip)


@router.get("/{id}", responses={**READING, **documented("not-found")})
async def source(id: int, desk: AtDesk, caller: MayRead) -> SourceDetail:
    """One source: how far each step is and why one stopped, and what was read. Scope: `sources:read`."""
    return await desk.workers.run(_detail, desk, caller, id)


def _detail(desk: Desk, caller: Caller, number: int) -> SourceDetail:
    with desk.bench.db.transaction() as tx:
        found = known(find_input(tx, caller.project_id, number), number)
        row = find_row(tx, caller.project_id, number)
        page = load_source_page(tx, row.source_id) if row and row.source_id else None
    return _shown(found, row, page)


def known(found: Input | None, number: int) -> Input:
    """The input, which has to be there.

    Raises:
        Refusal: it is not.
    """
    if found is None:
        raise Refusal("not-found", f"There is no source {number}.")
    return found


def _shown(found: Input, row: SourceRow | None, page: SourcePage | None) -> SourceDetail:
    return SourceDetail(
        id=found.id,
        name=found.name,
        is_feed=found.outcome == "feed",
        outcome=found.outcome,
        steps=[Step.model_validate(step) for step in progress(found, row)] if row else [],
        source=Source.model_validate(row) if row else None,
        contents=_contents(page) if page else None,
    )


def _contents(page: SourcePage) -> Contents:
    return Contents(
        summary=page.summary,
        keywords=list(page.keywords),
        speakers=[speaker for speaker, _ in page.speakers],
        chapters=[Chapter(title=title, start_s=start_s) for title, start_s in page.chapters],
        twins=list(page.twins),
    )
