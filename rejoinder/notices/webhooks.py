"""The webhook: one JSON object per message, signed as Standard Webhooks are.

Source: Standard Webhooks, specification 1.0.0 (standardwebhooks.com): the headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature``, the signed text ``id.timestamp.body``, secrets as ``whsec_`` and
base64. Receivers verify with any of its libraries; the id stays the same when a message is sent again.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from rejoinder.errors import ConfigInvalid
from rejoinder.notices.kinds import kind_of
from rejoinder.notices.notice import Event, Notice, stamp, worst

PREFIX = "whsec_"


def webhook_body(
    event: Event, notices: Sequence[Notice], *, installation: str, address: str | None = None
) -> bytes:
    """The body of a message: UTF-8 JSON.

    Args:
        event: began, reminded or ended; all notices of a message share it.
        notices: one or more, the oldest first.
        installation: the name of this installation.
        address: of the review app, where people can look.
    """
    told = {
        "type": f"rejoinder.notice.{event}",
        "installation": installation,
        "severity": worst(notices),
        "notices": [_told(notice, installation) for notice in notices],
        **({"review_app": address} if address else {}),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _told(notice: Notice, installation: str) -> dict[str, object]:
    return {
        "id": notice.id,
        "key": notice.key(installation),
        "kind": notice.kind,
        "severity": notice.severity,
        "title": kind_of(notice.kind).title,
        "message": notice.told,
        "entity_type": notice.entity_type,
        "entity_id": notice.entity_id,
        "created_at": stamp(notice.created_at),
        "ended_at": stamp(notice.ended_at) if notice.ended_at else None,
    }


def signature(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    """The value of ``webhook-signature``: HMAC-SHA256 over id, time and body.

    Args:
        secret: ``whsec_`` and base64, or any other text, whose UTF-8 bytes are then the key.
        message_id: the value of ``webhook-id``.
        at: the time of sending, aware; receivers refuse old ones.
        body: as sent.

    Raises:
        ConfigInvalid: what follows ``whsec_`` is no base64.
    """
    text = f"{message_id}.{int(at.timestamp())}.".encode() + body
    made = hmac.new(_key(secret), text, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ConfigInvalid(
            "The secret of a webhook begins with whsec_ but goes on with no base64."
        ) from None
