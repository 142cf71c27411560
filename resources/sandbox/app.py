"""The sandbox as a Starlette application: all routes over one open state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from resources.sandbox.clock import Clock
from resources.sandbox.control_routes import control_routes
from resources.sandbox.credentials import ensure_credentials
from resources.sandbox.events import EventsFirst, keep_firing
from resources.sandbox.exchange import Endpoint, World
from resources.sandbox.gate import build_route
from resources.sandbox.openai_control import openai_control_routes
from resources.sandbox.openai_rehearsal import open_rehearsal
from resources.sandbox.openai_routes import openai_routes
from resources.sandbox.reddit_gate import REDDIT_GATE
from resources.sandbox.reddit_routes import ENDPOINTS as REDDIT_ENDPOINTS
from resources.sandbox.reddit_routes import TOKEN_ENDPOINT
from resources.sandbox.state import State
from resources.sandbox.x_control import x_control_routes
from resources.sandbox.x_gate import X_GATE
from resources.sandbox.x_routes import ENDPOINTS as X_ENDPOINTS
from resources.sandbox.x_stream import stream_route


def open_world(state: State, account: str | None = None) -> World:
    """The world in a state file."""
    return World(state, Clock(state), ensure_credentials(state, account))


def build_app(world: World) -> Starlette:
    """The application that serves a world."""
    rehearsal = open_rehearsal(world.state, world.credentials.openai["api_key"])
    # The models come first: they are called hundreds of times a second.
    routes: list[BaseRoute] = [*openai_routes(rehearsal), *openai_control_routes(rehearsal)]
    routes += [*control_routes(world), *x_control_routes(world), stream_route(world)]
    routes += [build_route(world, X_GATE, endpoint) for endpoint in X_ENDPOINTS]
    for endpoint in (*REDDIT_ENDPOINTS, TOKEN_ENDPOINT):
        routes += both_spellings(world, endpoint)

    @asynccontextmanager
    async def ticking(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_firing(world))
        yield
        task.cancel()
        world.usage.flush(world.state)

    return Starlette(routes=routes, middleware=[Middleware(EventsFirst, world=world)], lifespan=ticking)


def both_spellings(world: World, endpoint: Endpoint) -> list[Route]:
    """Reddit takes paths with and without a slash at the end."""
    plain = build_route(world, REDDIT_GATE, endpoint)
    return [plain, Route(f"{endpoint.path}/", plain.endpoint, methods=[endpoint.method])]
