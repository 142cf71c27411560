"""An answer whose body trickles: a few bytes, a pause, a few more, so that no single read is slow."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

PIECES = 20


def trickled(whole: Response, pause_s: float) -> StreamingResponse:
    """The same answer in up to 20 pieces with a pause before each; its length is told at once."""
    headers = {name: value for name, value in whole.headers.items() if name != "content-type"}
    body = bytes(whole.body)
    return StreamingResponse(pieces(body, pause_s), whole.status_code, headers, whole.headers["content-type"])


async def pieces(body: bytes, pause_s: float) -> AsyncIterator[bytes]:
    """The bytes, a piece at a time."""
    size = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), size):
        await asyncio.sleep(pause_s)
        yield body[start : start + size]
