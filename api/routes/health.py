"""Whether the server is there, and whether it can do its work. No token is asked for."""

from fastapi import APIRouter

from api.desk import AtDesk
from api.problems import Refusal, documented
from api.schemas.sources import Health

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/ready", responses=documented("busy", "unavailable"))
async def ready(desk: AtDesk) -> Health:
    """The database answers, and its tables are those that this version expects. Looked at every two seconds at most."""
    found = await desk.probes.run(desk.lookout.ask, desk.bench.addresses)
    if not found.is_ready:
        detail = f"The database has migration {found.applied:04d}, this version expects {found.known:04d}."
        raise Refusal(
            "unavailable", detail, fix="Start it again with the version that fits: `rejoinder init`."
        )
    return Health(status="ok", migrations={"applied": found.applied})
