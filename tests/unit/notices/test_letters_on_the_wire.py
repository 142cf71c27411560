"""Letters as they leave: lines, headers and encodings of RFC 5322 and 2047, whatever a notice or a name says."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.notices.kinds import KINDS
from rejoinder.notices.letters import letter
from rejoinder.notices.notice import Event, Notice
from resources.notifications.mail import compose
from resources.notifications.message import Message
from resources.tuning_notifications import MailSink

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
SINK = MailSink(
    name="post",
    kind="email",
    host="m.example",
    sender="r@here.example",
    to=("a@there.example", "b@c.example"),
)
# RFC 5322, 2.1.1: a line has at most 998 characters and should have at most 78, CRLF not counted.
MOST, SHOULD = 998, 78
MESSAGES = st.text(st.characters(exclude_characters="\x00"), max_size=300) | st.builds(
    lambda text, times: text * times,
    st.sampled_from(["x", "ü", "🔥", "a b ", ".\n", "\r\n.\r\n"]),
    st.integers(1, 400),
)
# A name that looks like an encoded word is read as one.
NAMES = st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=60).filter(
    lambda n: "=?" not in n
)
EVENTS: list[Event] = ["began", "reminded", "ended"]


def told(message: str, installation: str, event: Event = "began", kind: str = "refused") -> Message:
    return Message(41, event, (Notice(7, kind, message, "publication", 12, AT),), installation)


@settings(max_examples=50)
@given(MESSAGES, NAMES, st.sampled_from(EVENTS), st.sampled_from(sorted(KINDS)))
def test_a_letter_keeps_to_the_lines_and_comes_back_as_it_was(
    message: str, installation: str, event: Event, kind: str
) -> None:
    sent = told(message, installation, event, kind)
    raw = compose(SINK, sent, AT).as_bytes()
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= MOST
    read = message_from_bytes(raw, policy=policy.default)
    written = letter(event, sent.notices, installation=installation)
    assert read["Subject"].strip() == written.subject
    assert read["Message-ID"] == f"<{sent.id}@here.example>"
    assert read["To"] == "a@there.example, b@c.example" and read["From"] == "r@here.example"
    assert read.keys() == compose(SINK, sent, AT).keys(), "no header came from a message or a name"
    assert read.get_content().replace("\r\n", "\n") == written.body


@pytest.mark.parametrize(
    "odd", ["here\nBcc: all@there.example", "here\r\n\r\nbody", "a\u2028b", "a\x0bb", "a\x85b"]
)
def test_a_name_with_line_breaks_makes_no_header(odd: str) -> None:
    read = message_from_bytes(compose(SINK, told("m", odd), AT).as_bytes(), policy=policy.default)
    assert read["Bcc"] is None and len(read["Subject"].splitlines()) == 1


def test_a_subject_beyond_ascii_is_encoded_and_folded() -> None:
    raw = compose(SINK, told("m", "Redaktion für Wärmepumpen " * 2), AT).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"=?utf-8?" in head and max(len(line) for line in head.split(b"\r\n")) <= SHOULD


def test_a_body_beyond_ascii_needs_no_server_that_takes_eight_bits() -> None:
    mail = compose(SINK, told("für 🔥", "here"), AT)
    assert mail["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}
    assert "für 🔥" in mail.get_content()
