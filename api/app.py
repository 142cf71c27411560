"""The application: every route over one desk, its problems, its OpenAPI document, and what goes around requests."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.desk import Desk
from api.problems import Problem, handle_problems
from api.routes import ask, feeds, health, internal, links, sources
from api.watching import BoundedBodies, Watched

JSON_BYTES = 64 * 1024
# Boundaries and the field `name` around a file.
FORM_BYTES = 64 * 1024
DESCRIPTION = """For services of one's own: bring sources in, see how far they are, search, ask.

Every path but `/l/{code}`, `/health`, `/ready` and `/openapi.json` asks for a token of `rejoinder api token`. Errors
are problem details (RFC 9457) with what helps in `fix`. Every answer has an `X-Request-ID`, the caller's own if it sent
one."""


def build_app(desk: Desk) -> FastAPI:
    """The application over a desk; `around` puts on it what a server needs besides."""
    app = FastAPI(
        title="Rejoinder",
        version=version("rejoinder"),
        description=DESCRIPTION,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    for part in (sources, feeds, internal, ask, links, health):
        app.include_router(part.router)
    handle_problems(app)
    _complete_document(app)
    return app


def around(app: FastAPI, largest_source: int) -> ASGIApp:
    """The application with bounds on bodies, request ids and a log; largest_source is in bytes."""

    def largest(path: str) -> int:
        return largest_source + FORM_BYTES if path == "/sources" else JSON_BYTES

    return Watched(BoundedBodies(app, largest))


def _complete_document(app: FastAPI) -> None:
    """Put the shape of problems into the OpenAPI document, to which every route's answers point."""
    made = app.openapi

    def document() -> dict[str, Any]:
        found = made()
        shapes = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        found["components"]["schemas"] |= {**shapes.pop("$defs", {}), "Problem": shapes}
        return found

    app.openapi = document  # type: ignore[method-assign]
