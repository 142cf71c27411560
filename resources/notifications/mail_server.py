"""Connections to a mail server all of which ends by one deadline, however slowly the server answers.

smtplib limits each read by itself, so a server that sends a byte now and then could hold somebody for ever. At the
deadline a thread shuts the connection down, whatever is under way on it: connecting, TLS, or the letter.
"""

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class Watch:
    """Shuts a connection down when its time is over; one watch for one letter.

    Args:
        limit_s: seconds for all of it, from entering the block.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.is_over = False
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(limit_s, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """The time begins."""
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The connection is nobody's concern any more."""
        self._timer.cancel()
        self._timer.join()
        if self._line is not None:
            self._line.close()

    def hold(self, line: socket.socket) -> None:
        """Watch this connection.

        Raises:
            TimeoutError: it came too late.
        """
        with self._lock:
            if self.is_over:
                raise TimeoutError
            # A descriptor of our own: TLS takes the other one over.
            self._line = line.dup()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._line is not None:
                with suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)


class Server(smtplib.SMTP):
    """A mail server whose connection is watched from its first moment."""

    def __init__(self, watch: Watch, host: str, port: int, *, timeout_s: float) -> None:
        self._watch = watch
        super().__init__(host, port, timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        # smtplib's own place to change how it connects: SMTP_SSL does so, too.
        line = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        try:
            self._watch.hold(line)
        except TimeoutError:
            line.close()
            raise
        return line


class TlsServer(smtplib.SMTP_SSL, Server):
    """The same over TLS from the first byte on."""

    def __init__(
        self, watch: Watch, host: str, port: int, *, timeout_s: float, context: ssl.SSLContext
    ) -> None:
        self._watch = watch
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=timeout_s, context=context)
