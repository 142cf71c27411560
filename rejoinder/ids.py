"""Identifiers and content hashes.

Ids are NewTypes over int so that mypy tells a post's id from a draft's. Hashes are SHA-256
over canonical text: the same content has the same hash on every machine.
"""

import hashlib
import json
from typing import NewType

SourceId = NewType("SourceId", int)
ChunkId = NewType("ChunkId", int)
PostId = NewType("PostId", int)
ClaimId = NewType("ClaimId", int)
EvidenceId = NewType("EvidenceId", int)
DecisionId = NewType("DecisionId", int)
DraftId = NewType("DraftId", int)
ReviewId = NewType("ReviewId", int)
PublicationId = NewType("PublicationId", int)
PersonId = NewType("PersonId", int)
ChannelId = NewType("ChannelId", int)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces, so that equal values give equal text.

    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, 64 hex digits.

    >>> sha256_hex("")[:12]
    'e3b0c44298fc'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
