"""How often links are followed: told for each client by itself, so that one that floods locks nobody else out.

What belongs here: buckets of tokens (RFC 2697's idea) and what is held in memory for them, all of it bounded. Clients
are known by a hash under a key that ends with the process; neither a hash nor an address is kept anywhere else.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, Literal, TypeVar

Admission = Literal["counted", "led", "refused"]
V = TypeVar("V")
KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second after that."""

    at_once: float
    per_s: float


# Visits of one client that count: an office or a mobile network behind one address reads no faster.
COUNTED = Rate(30, 1)
# What one client is led to at all. Beyond it nobody reads any more.
LED = Rate(200, 20)
# Visits that count of all clients together that cannot be told apart; they are led without end.
UNKNOWN = Rate(200, 50)
CLIENTS = 10_000
# The same reader again on the same link within so long is one visit: a page loaded anew, a second click.
AGAIN_S, READERS = 60.0, 50_000
# How long a target is good for without another look at the database.
REMEMBERED_S, TARGETS = 600.0, 2_000


class Recent(Generic[V]):
    """The values of the keys that were put last, at most so many and for so long."""

    def __init__(self, most: int, good_s: float) -> None:
        self._most, self._good_s = most, good_s
        self._kept: OrderedDict[bytes | str, tuple[V, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes | str, now_s: float) -> V | None:
        """The value, None where there is none that is still good."""
        found = self._kept.get(key)
        return found[0] if found and now_s - found[1] < self._good_s else None

    def put(self, key: bytes | str, value: V, now_s: float) -> None:
        """Keep a value from now on, and forget those that are good no longer or one too many."""
        self._kept[key] = (value, now_s)
        self._kept.move_to_end(key)
        while self._kept and (len(self._kept) > self._most or self._is_over(now_s)):
            self._kept.popitem(last=False)

    def _is_over(self, now_s: float) -> bool:
        _, put_s = next(iter(self._kept.values()))
        return now_s - put_s >= self._good_s


class Bucket:
    """What is left of a rate."""

    __slots__ = ("_left", "_rate", "_seen_s")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate, self._left, self._seen_s = rate, rate.at_once, now_s

    def take(self, now_s: float) -> bool:
        """Take one; False where there is none left."""
        self._left = min(self._rate.at_once, self._left + (now_s - self._seen_s) * self._rate.per_s)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pace:
    """Says of each visit whether it counts; for one event loop, which needs no lock.

    A client that comes faster than anybody reads is still led, without being counted; only a flood is refused.
    """

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s, self._secret = now_s, secrets.token_bytes(KEY_BYTES)
        # A bucket that would be full again tells nothing; the longest unseen goes first.
        refilled_s = max(rate.at_once / rate.per_s for rate in (COUNTED, LED))
        self._clients: Recent[tuple[Bucket, Bucket]] = Recent(CLIENTS, refilled_s)
        self._readers: Recent[bool] = Recent(READERS, AGAIN_S)
        self._unknown = Bucket(UNKNOWN, now_s())

    def admit(self, client: str | None, reading: str | None) -> Admission:
        """Whether a visit counts, is led without counting, or belongs to a flood.

        Args:
            client: as `client_of` has it; None for all that cannot be told apart, which are never refused.
            reading: of which link, with which browser (readers behind one address differ in it); None for a look
                that is no visit.
        """
        now_s = self._now_s()
        if client is None:
            return "counted" if reading is not None and self._unknown.take(now_s) else "led"
        key = self._hash(client)
        counted, led = self._clients.get(key, now_s) or (Bucket(COUNTED, now_s), Bucket(LED, now_s))
        self._clients.put(key, (counted, led), now_s)
        if not led.take(now_s):
            return "refused"
        is_visit = reading is not None and self._is_new(f"{client}\n{reading}", now_s)
        return "counted" if is_visit and counted.take(now_s) else "led"

    def _is_new(self, reader: str, now_s: float) -> bool:
        key = self._hash(reader)
        is_new = self._readers.get(key, now_s) is None
        if is_new:
            self._readers.put(key, True, now_s)
        return is_new

    def _hash(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=KEY_BYTES).digest()


class Targets:
    """Where links lead that were followed lately, for when the database cannot be asked."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._kept: Recent[str] = Recent(TARGETS, REMEMBERED_S)

    def get(self, code: str) -> str | None:
        """Where the link leads, None where that is not known any more."""
        return self._kept.get(code, self._now_s())

    def put(self, code: str, target: str) -> None:
        """Remember where a link leads: it never leads elsewhere."""
        self._kept.put(code, target, self._now_s())
