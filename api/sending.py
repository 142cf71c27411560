"""Files on their way out: piece by piece, as fast as the caller takes them, but not for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

log = logging.getLogger("rejoinder.api")
PIECE_BYTES = 64 * 1024
IDLE_S, WHOLE_S = 30.0, 600.0


class Attachment(StreamingResponse):
    """Bytes for saving. A caller that takes none for idle_s, or not all in whole_s, has its connection ended.

    Whole, they would be handed to the socket's buffer at once: what the server holds would then no longer be bounded
    by the places that are held while a response is sent.
    """

    def __init__(self, data: bytes, *, idle_s: float = IDLE_S, whole_s: float = WHOLE_S) -> None:
        headers = {"Content-Disposition": "attachment", "Content-Length": str(len(data))}
        super().__init__(_pieces(data), headers=headers, media_type="application/octet-stream")
        self._idle_s, self._whole_s = idle_s, whole_s

    async def stream_response(self, send: Send) -> None:
        """As Starlette has it, but within its time; the server ends a connection whose answer stops short."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._idle_s):
                await send(message)

        try:
            async with asyncio.timeout(self._whole_s):
                await super().stream_response(send_in_time)
        except TimeoutError:
            log.warning("a file was not taken in time: its connection is ended")


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]
