"""Each child's output goes line by line to ``<home>/logs/<name>.log``, which never grows without end."""

import logging
import re
import threading
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

LARGEST_BYTES = 5_000_000
OLD_FILES = 3
LONGEST_LINE = 64_000
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class ChildLog:
    """The log file of one child, over all its restarts; only its owner may read it."""

    def __init__(self, folder: Path, name: str, *, largest: int = LARGEST_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{name}.log"
        self.path.touch(mode=0o600)
        self.last_lines: deque[str] = deque(maxlen=20)
        self._handler = RotatingFileHandler(
            self.path, maxBytes=largest, backupCount=OLD_FILES, encoding="utf-8", errors="replace"
        )
        self._copier: threading.Thread | None = None
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, line: str) -> None:
        """Append one line, without the colours that were meant for a terminal."""
        line = COLOURS.sub("", line)
        self.last_lines.append(line)
        self._handler.handle(logging.LogRecord("child", logging.INFO, "", 0, line, None, None))

    def follow(self, stream: IO[bytes]) -> None:
        """Copy the stream to the file in a thread of its own until the stream ends."""
        self._copier = threading.Thread(target=self._copy, args=(stream,), daemon=True)
        self._copier.start()

    def _copy(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LONGEST_LINE):
                self.write(line.decode("utf-8", "replace").rstrip("\r\n"))

    def last_words(self) -> str:
        """The last line that says something, or empty."""
        return next((line.strip() for line in reversed(self.last_lines) if line.strip()), "")

    def close(self) -> None:
        """Close the file, once the last output is in it."""
        if self._copier:
            self._copier.join(timeout=2.0)
        self._handler.close()
