"""Links of our own: whoever follows one is led to the source, and what visitors did there is taken from its site."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.callers import MayTellConversions
from api.clients import client_of
from api.desk import AtDesk, Desk
from api.problems import Refusal, documented
from api.routes.sources import READING
from api.schemas.links import TellConversion, Told
from rejoinder.engagement.visits import Visit, visit_of, with_click
from resources.commands.conversions import record_conversion
from resources.postgres import is_outage
from resources.store.links import follow

router = APIRouter(tags=["links"])
Code = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{12,32}$")]
FOUND: dict[int | str, dict[str, Any]] = {302: {"description": "Where the link leads.", "content": {}}}


@router.get(
    "/l/{code}",
    status_code=302,
    response_class=RedirectResponse,
    responses={**FOUND, **documented("not-found", "invalid", "too-many", "busy", "unavailable")},
)
async def open_link(code: Code, request: Request, desk: AtDesk) -> Response:
    """Lead a reader to the source, at its second. Nobody needs a token; nothing about who it was is kept.

    Counted per day and per site that the reader came from; programs apart; `HEAD` and what a browser loads ahead not at
    all. Whoever comes faster than anybody reads is led and not counted; only a flood from one address is refused (429).
    """
    return await _led(code, request, desk)


@router.head("/l/{code}", include_in_schema=False)
async def look_at_link(code: Code, request: Request, desk: AtDesk) -> Response:
    """The same without being counted."""
    return await _led(code, request, desk)


async def _led(code: str, request: Request, desk: Desk) -> Response:
    visit = visit_of(request.method, request.headers)
    admission = desk.pace.admit(_client(request, desk), _reading(code, request) if visit else None)
    if admission == "refused":
        raise Refusal("too-many", "More links are followed from there than anybody reads.")
    target = await _target(code, visit if admission == "counted" else None, desk)
    if target is None:
        raise Refusal(
            "not-found", "No link has this code.", fix="Look at the link: a character may be missing."
        )
    return RedirectResponse(target, 302, {"X-Robots-Tag": "noindex"})


def _client(request: Request, desk: Desk) -> str | None:
    peer = request.client.host if request.client else None
    return client_of(peer, request.headers.getlist("x-forwarded-for"), desk.bench.tuning.links.proxies)


def _reading(code: str, request: Request) -> str:
    return f"{code}\n{request.headers.get('user-agent', '')}"


async def _target(code: str, visit: Visit | None, desk: Desk) -> str | None:
    """Where the link leads; who is not counted, or comes while the database cannot be asked, is led from memory."""
    known = desk.targets.get(code)
    if known and visit is None:
        return known
    try:
        target = await desk.visitors.run(_follow, desk, code, visit)
    except Exception as error:
        if known and (isinstance(error, Refusal) or is_outage(error)):
            return known
        raise
    if target:
        desk.targets.put(code, target)
    return target


def _follow(desk: Desk, code: str, visit: Visit | None) -> str | None:
    with desk.bench.db.transaction() as tx:
        target = follow(tx, code, visit, datetime.now(UTC).date())
    links = desk.bench.tuning.links
    return target and with_click(target, code, links.click_parameter, frozenset(links.own_hosts))


@router.post(
    "/internal/conversions",
    status_code=201,
    responses={
        **READING,
        **documented("malformed", "too-slow", "too-large", "conflict"),
        200: {"description": "It was told before.", "model": Told},
    },
)
async def tell(told: TellConversion, response: Response, desk: AtDesk, caller: MayTellConversions) -> Told:
    """Say what a visitor did who came over a link of ours. Once is enough. Scope: `conversions:write`.

    The same `external_id` again, with the same link, kind and value, changes nothing and is answered with 200; with
    others it is refused (409).
    """
    now = datetime.now(UTC)
    kept = await desk.workers.run(
        record_conversion, desk.bench.db, caller.actor, caller.project_id, told.conversion(now), now=now
    )
    response.status_code = 201 if kept == "recorded" else 200
    return Told(external_id=told.external_id, outcome=kept)
