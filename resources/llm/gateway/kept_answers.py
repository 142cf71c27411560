"""The table of answers that are kept: reading them with their checksums, the row of a new one, keeping it in size."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from rejoinder.errors import ServiceUnavailable
from rejoinder.llm.cache_key import canonical_json
from rejoinder.llm.requests import RawReply
from resources.llm.gateway.calls import LONGEST_OUTAGE_S, Answer, Rows, error_in_words

if TYPE_CHECKING:
    from resources.llm.gateway.holder import Holder

log = logging.getLogger("rejoinder.llm")
# What a row takes beside its answer: key, checksum, times and its places in three indexes.
ROW_BYTES = 300
# The table is looked through about once per this part of its largest size that is newly kept, and is then cut to the
# largest size less one such part. So it is mostly below it, and a call nearly never pays for looking it through.
PARTS = 16


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """Answers in the table ``llm_cache``.

    Args:
        holder: the database.
        ttl: how long an answer is kept; nothing at all if it is 0.
        most_bytes: how large they may be together.
        now: the time in UTC.
        draw: a random number in [0, 1).
    """

    holder: "Holder"
    ttl: timedelta
    most_bytes: int
    now: Callable[[], datetime]
    draw: Callable[[], float]

    @property
    def is_on(self) -> bool:
        """Whether anything is kept."""
        return self.ttl > timedelta(0)

    def find(self, keys: Mapping[str, bytes], within_s: float) -> dict[str, RawReply]:
        """The answers that are kept, by the name that their key has here; trouble with the table counts as none.

        While PostgreSQL is away it is waited for, at most LONGEST_OUTAGE_S or until within_s is over.

        Raises:
            ServiceUnavailable: it stayed away; no place could be had without it either.
        """
        try:
            rows = self.holder.rows_when_back(
                "kept_answers", min(within_s, LONGEST_OUTAGE_S), keys=list(keys.values()), now=self.now()
            )
        except ServiceUnavailable:
            raise
        except Exception as error:
            log.warning("kept answers could not be read: %s", error_in_words(error))
            return {}
        return self.sound(keys, rows)

    def sound(self, keys: Mapping[str, bytes], rows: Rows) -> dict[str, RawReply]:
        """The answers in rows of the table that fit their checksums, by name; others are taken out of the table."""
        try:
            sound = {bytes(row["key"]): row["reply"] for row in rows if _is_sound(row)}
            self._drop([bytes(row["key"]) for row in rows if bytes(row["key"]) not in sound])
            return {name: _read(sound[key]) for name, key in keys.items() if key in sound}
        except Exception as error:
            log.warning("kept answers could not be read: %s", error_in_words(error))
            return {}

    def row(self, key: bytes, answer: Answer) -> dict[str, Any]:
        """What is kept of an answer, as parameters of the statement finish_call."""
        now = self.now()
        reply = canonical_json({"text": answer.raw.text, "finish": answer.raw.finish})
        return {
            "key": key,
            "reply": reply,
            "checksum": _checksum(key, reply),
            "size_bytes": len(reply) + ROW_BYTES,
            "kept_at": now,
            "expires_at": now + self.ttl,
        }

    def trim_sometimes(self, added_bytes: int) -> None:
        """Keep the table in size: the more was added, the likelier it is looked through now.

        Nobody has to count what all processes added: looked through with the probability of the added bytes in one part
        of the largest size, it is so once per part on average, however many processes there are and however short they
        live.
        """
        part = self.most_bytes // PARTS
        if self.draw() * part >= added_bytes:
            return
        try:
            (gone,) = self.holder.rows_aside(
                "trim_answers", most_bytes=self.most_bytes - part, now=self.now()
            )
        except Exception as error:
            log.warning("kept answers could not be looked through: %s", error_in_words(error))
            return
        if gone["n"]:
            log.info("%d kept answers (%d bytes) were too many or too old", gone["n"], gone["size_bytes"])

    def _drop(self, damaged: list[bytes]) -> None:
        if damaged:
            names = ", ".join(key.hex()[:12] for key in damaged)
            log.warning("kept answers were damaged and are asked for anew: %s", names)
            self.holder.rows("drop_answers", keys=damaged)


def _is_sound(row: Mapping[str, Any]) -> bool:
    return bytes(row["checksum"]) == _checksum(bytes(row["key"]), row["reply"])


def _checksum(key: bytes, reply: str) -> bytes:
    return sha256(key + reply.encode("utf-8")).digest()


def _read(reply: str) -> RawReply:
    kept = json.loads(reply)
    return RawReply(kept["text"], finish=kept["finish"])
