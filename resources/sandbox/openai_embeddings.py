"""Vectors without a model: words hashed into dimensions, so that texts that share words are near each other.

The method is feature hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009):
each word adds a sign at a place that its hash names. The same text has the same vector on every machine.
"""

import base64
import hashlib
import math
import re
import sys
from array import array
from functools import lru_cache

WORD = re.compile(r"\w+")


def hashed_vector(text: str, dimensions: int) -> list[float]:
    """A vector of length 1.

    >>> hashed_vector("Hello, hello", 4) == hashed_vector("hello", 4)
    True
    """
    sums = [0.0] * dimensions
    for word in WORD.findall(text.casefold()) or [text]:
        place, sign = place_of(word, dimensions)
        sums[place] += sign
    if not any(sums):
        # Every word met another of the opposite sign: the whole text names the place.
        place, sign = place_of(text, dimensions)
        sums[place] = sign
    length = math.sqrt(sum(value * value for value in sums))
    return [value / length if value else 0.0 for value in sums]


@lru_cache(maxsize=100_000)
def place_of(word: str, dimensions: int) -> tuple[int, float]:
    """The dimension and the sign that a word's hash names."""
    number = int.from_bytes(
        hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
    return (number >> 1) % dimensions, 1.0 if number & 1 else -1.0


def as_base64(vector: list[float]) -> str:
    """A vector as the API packs it: 32-bit floats, little-endian, in base64.

    >>> as_base64([1.0])
    'AACAPw=='
    """
    packed = array("f", vector)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")
