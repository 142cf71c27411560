"""A channel's secret once it was opened: a mapping that does not show what it holds."""

from collections.abc import Iterator, Mapping
from typing import Literal

Kind = Literal["read", "write"]
KINDS: tuple[Kind, ...] = ("read", "write")


class Credential(Mapping[str, str]):
    """Fields of a secret by name; its repr has the names alone, so that no log and no traceback shows more.

    >>> Credential({"token": "xyz"})
    Credential(token)
    >>> Credential({"token": "xyz"})["token"], Credential({"token": "xyz"}) == {"token": "xyz"}
    ('xyz', True)
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        """No values."""
        return f"Credential({', '.join(self._fields)})"


NOTHING = Credential({})
