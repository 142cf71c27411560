"""Receivers that send something now and then: one deadline ends the whole exchange, TLS or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from notification_servers import dripping, make_certificate

from rejoinder.notices.notice import Notice
from resources.notifications.message import Message, NotTaken
from resources.notifications.sinks import open_sink
from resources.tuning_notifications import MailSink, WebhookSink

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
BEGAN = Message(41, "began", (Notice(7, "auth_expired", "401", "channel", 3, AT),), "here")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_a_receiver_that_drips_a_header_is_left_at_the_time_out(
    certificate: tuple[Path, Path], is_tls: bool
) -> None:
    cert = certificate if is_tls else None
    with dripping(
        b"HTTP/1.1 200 OK\r\nx-slow: ", b".", b"\r\ncontent-length: 0\r\n\r\n", certificate=cert
    ) as port:
        url = f"{'https' if is_tls else 'http'}://127.0.0.1:{port}/x"
        sink = WebhookSink(
            name="team", kind="webhook", url=url, ca_file=str(certificate[0]) if is_tls else None
        )
        with pytest.raises(NotTaken, match=r"no answer within 0\.4 s"):
            open_sink(sink, 0.4).send(BEGAN)


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_mail_server_that_drips_its_greeting_is_left_at_the_deadline(
    certificate: tuple[Path, Path], security: str
) -> None:
    cert = certificate if security == "tls" else None
    with dripping(b"220-", b"slow\r\n220-", b"220 at last\r\n", certificate=cert) as port:
        tuning = MailSink.model_validate(
            {"name": "post", "kind": "email", "host": "127.0.0.1", "port": port, "security": security,
             "sender": "r@here.example", "to": ["a@there.example"], "ca_file": str(certificate[0])}
        )  # fmt: skip
        with pytest.raises(NotTaken, match=r"within (1\.4|0\.2) s"):
            open_sink(tuning, 0.2).send(BEGAN)
