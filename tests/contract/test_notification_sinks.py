"""Every sink over the wire: what arrives, and how each fault is told, without secrets."""

import email
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest
from notification_servers import Answer, HttpEnd, MailEnd, http_end, mail_end, make_certificate
from pydantic import ValidationError

from rejoinder.notices.notice import Notice
from rejoinder.notices.webhooks import signature
from resources.notifications.message import Message, NotTaken, Sink
from resources.notifications.sinks import open_sink
from resources.tuning_notifications import MailSink, Notifications, PagerDutySink, SinkTuning, WebhookSink

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
NOTICE = Notice(7, "auth_expired", "401 from the platform", "channel", 3, AT)
BEGAN = Message(41, "began", (NOTICE,), "here", "https://review.example")
ENDED = Message(42, "ended", (NOTICE,), "here")
SECRETS = ("sesame", "R0UT1NGKEY", "hush")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def web() -> Iterator[HttpEnd]:
    with http_end() as end:
        yield end


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TEAM": "hush", "PAGER": "R0UT1NGKEY", "POST": "sesame"}.items():
        monkeypatch.setenv(f"REJOINDER_KEY_{name}", value)


def webhook(end: HttpEnd, **more: object) -> Sink:
    return opened(
        WebhookSink.model_validate({"name": "team", "kind": "webhook", "url": f"{end.url}/x?k=hush", **more})
    )


def pager(end: HttpEnd) -> Sink:
    return opened(PagerDutySink(name="pager", kind="pagerduty", base_url=end.url))


def opened(tuning: SinkTuning, timeout_s: float = 20.0) -> Sink:
    return open_sink(tuning, timeout_s)


def post_box(end: MailEnd, **more: object) -> MailSink:
    given = {
        "name": "post",
        "kind": "email",
        "host": "127.0.0.1",
        "port": end.port,
        "sender": "r@here.example",
    }
    return MailSink.model_validate({**given, "to": ["a@there.example", "b@there.example"], **more})


def test_a_webhook_is_signed_and_keeps_its_id(web: HttpEnd) -> None:
    webhook(web).send(BEGAN)
    webhook(web).send(BEGAN)
    first, second = web.requests
    assert first.json["notices"][0]["kind"] == "auth_expired" and first.json["severity"] == "critical"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_here_41"
    at = datetime.fromtimestamp(int(first.headers["webhook-timestamp"]), UTC)
    assert first.headers["webhook-signature"] == signature("hush", "msg_here_41", at, first.body)


def test_a_webhook_without_a_secret_is_not_signed(web: HttpEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REJOINDER_KEY_TEAM")
    webhook(web).send(BEGAN)
    assert "webhook-signature" not in web.requests[0].headers


def test_the_address_of_a_webhook_may_be_a_secret(web: HttpEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_KEY_TEAM_URL", f"{web.url}/secret-path")
    opened(WebhookSink(name="team", kind="webhook")).send(BEGAN)
    assert web.requests[0].path == "/secret-path"
    monkeypatch.setenv("REJOINDER_KEY_TEAM_URL", "http://elsewhere.example/hush")
    with pytest.raises(NotTaken, match="REJOINDER_KEY_TEAM_URL must begin with https") as told:
        opened(WebhookSink(name="team", kind="webhook"))
    assert "hush" not in str(told.value)


def test_pagerduty_opens_and_resolves_one_incident(web: HttpEnd) -> None:
    pager(web).send(BEGAN)
    pager(web).send(ENDED)
    opened_, resolved = (request.json for request in web.requests)
    assert {request.path for request in web.requests} == {"/v2/enqueue"}
    assert (opened_["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened_["dedup_key"] == resolved["dedup_key"] == "here/auth_expired/channel/3/7"
    assert opened_["routing_key"] == "R0UT1NGKEY" and opened_["payload"]["severity"] == "critical"


@pytest.mark.parametrize("make", [webhook, pager])
@pytest.mark.parametrize(
    ("answer", "said", "is_final", "asked_s"),
    [
        (Answer(500), "HTTP 500", False, None),
        (Answer(429, {"retry-after": "17"}), "HTTP 429", False, 17.0),
        (Answer(503, {"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}), "HTTP 503", False, 10**9),
        (Answer(400), "HTTP 400", True, None),
        (Answer(302, {"location": "http://127.0.0.1:1/"}), "HTTP 302", False, None),
        (Answer(hangs_up=True), "broke off", False, None),
    ],
    ids=["500", "429", "503", "400", "redirect", "hangs up"],
)
def test_a_refusal_is_told(
    web: HttpEnd,
    make: Callable[[HttpEnd], Sink],
    answer: Answer,
    said: str,
    is_final: bool,
    asked_s: float | None,
) -> None:
    web.answers.append(answer)
    with pytest.raises(NotTaken, match=said) as told:
        make(web).send(BEGAN)
    assert told.value.is_final is is_final
    assert (told.value.asked_s or 0) >= (asked_s or 0) and (told.value.asked_s is None) == (asked_s is None)
    assert not any(secret in str(told.value) for secret in SECRETS)


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
def test_silence_ends_with_the_time_out(web: HttpEnd, kind: str) -> None:
    web.answers.append(Answer(is_silent=True))
    address = {"webhook": {"url": web.url}, "pagerduty": {"base_url": web.url}}[kind]
    sinks = {"webhook": WebhookSink, "pagerduty": PagerDutySink}
    sink = sinks[kind].model_validate({"name": "pager", "kind": kind, **address})
    with pytest.raises(NotTaken, match=r"no answer within 0\.2 s"):
        opened(sink, 0.2).send(BEGAN)


def test_nobody_there_is_told(web: HttpEnd) -> None:
    with http_end() as gone:
        url = gone.url
    with pytest.raises(NotTaken, match="cannot be reached"):
        opened(WebhookSink(name="team", kind="webhook", url=url)).send(BEGAN)


def test_a_certificate_that_nobody_trusts_is_refused(certificate: tuple[Path, Path]) -> None:
    with http_end(certificate) as end:
        with pytest.raises(NotTaken, match="not trusted"):
            webhook(end).send(BEGAN)
        assert end.requests == []
        webhook(end, ca_file=str(certificate[0])).send(BEGAN)
        assert len(end.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://hooks.example/x", "https://user:pw@hooks.example/", "ftp://a.example", "hooks.example"]
)
def test_an_unsafe_address_is_refused_when_the_file_is_read(url: str) -> None:
    with pytest.raises(ValidationError, match="https://"):
        WebhookSink(name="team", kind="webhook", url=url)


def test_plain_http_has_to_be_asked_for() -> None:
    assert WebhookSink(name="team", kind="webhook", url="http://hooks.example/x", allow_http=True).url


@pytest.mark.parametrize("kind", ["pager", "post"])
def test_a_missing_secret_is_named(web: HttpEnd, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.delenv(f"REJOINDER_KEY_{kind.upper()}")
    mail = MailSink(
        name="post", kind="email", host="m.example", user="u", sender="a@b.example", to=("c@d.example",)
    )
    with pytest.raises(NotTaken, match=f"REJOINDER_KEY_{kind.upper()} is not set"):
        pager(web) if kind == "pager" else opened(mail)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_arrives_over_tls(certificate: tuple[Path, Path], security: str) -> None:
    with mail_end(certificate, tls=security == "tls") as end:
        opened(post_box(end, security=security, user="rejoinder", ca_file=str(certificate[0]))).send(BEGAN)
    (letter,) = (email.message_from_string(text, policy=policy.default) for text in end.letters)
    assert end.logins == [("rejoinder", "sesame")]
    assert letter["Subject"].startswith("[here] critical: The platform no longer takes")
    assert (
        letter["To"] == "a@there.example, b@there.example"
        and letter["Message-ID"] == "<msg_here_41@here.example>"
    )
    assert (
        "401 from the platform" in letter.get_content() and "https://review.example" in letter.get_content()
    )


def test_a_letter_over_no_tls_is_for_this_machine(certificate: tuple[Path, Path]) -> None:
    with mail_end(certificate) as end:
        opened(post_box(end, security="none")).send(BEGAN)
        assert len(end.letters) == 1
        with pytest.raises(ValidationError, match="on this machine only"):
            post_box(end, security="none", host="mail.example")


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ({"MAIL": "451 try later"}, "SMTP 451"),
        ({"RCPT": "550 no such box"}, "every receiver was refused"),
        ({"DATA": "554 spam"}, "SMTP 554"),
    ],
    ids=["sender", "receivers", "text"],
)
def test_what_the_mail_server_refuses_is_told(
    certificate: tuple[Path, Path], replies: dict[str, str], said: str
) -> None:
    with mail_end(certificate) as end:
        end.replies |= replies
        with pytest.raises(NotTaken, match=said):
            opened(post_box(end, security="none")).send(BEGAN)


def test_a_refused_password_is_told_without_it(certificate: tuple[Path, Path]) -> None:
    with mail_end(certificate) as end:
        end.password = "another"
        with pytest.raises(NotTaken, match="SMTP 535") as told:
            opened(post_box(end, user="rejoinder", ca_file=str(certificate[0]))).send(BEGAN)
    assert "sesame" not in str(told.value) and end.letters == []


def test_faults_of_tls_keep_the_password_here(certificate: tuple[Path, Path]) -> None:
    with ExitStack() as stack:
        untrusted = stack.enter_context(mail_end(certificate))
        plain = stack.enter_context(mail_end(certificate, offers_tls=False))
        for end, said in ((untrusted, "not trusted"), (plain, "no STARTTLS")):
            with pytest.raises(NotTaken, match=said):
                opened(post_box(end, user="rejoinder")).send(BEGAN)
            assert end.logins == []


def test_a_letter_that_was_taken_is_taken_whatever_the_farewell_says(certificate: tuple[Path, Path]) -> None:
    with mail_end(certificate) as end:
        end.replies["QUIT"] = "421 too busy"
        opened(post_box(end, security="none")).send(BEGAN)
    assert len(end.letters) == 1


def test_the_name_of_an_installation_may_be_in_any_script(
    web: HttpEnd, certificate: tuple[Path, Path]
) -> None:
    told = Message(41, "began", (NOTICE,), "Redaktion München. 2")
    webhook(web).send(told)
    assert web.requests[0].headers["webhook-id"] == "msg_Redaktion-M-nchen-2_41"
    assert web.requests[0].json["installation"] == "Redaktion München. 2"
    with mail_end(certificate) as end:
        opened(post_box(end, security="none")).send(told)
        assert len(end.letters) == 1


def test_each_receiver_of_a_letter_makes_its_lease_longer(certificate: tuple[Path, Path]) -> None:
    many = [f"desk{n}@there.example" for n in range(30)]
    with mail_end(certificate) as end:
        few, more = post_box(end, security="none"), post_box(end, security="none", to=many)
    assert more.exchanges - few.exchanges == 28


def test_a_silent_mail_server_ends_with_the_time_out(certificate: tuple[Path, Path]) -> None:
    with mail_end(certificate) as end:
        end.is_silent = True
        with pytest.raises(NotTaken, match=r"no answer within 0\.2 s"):
            opened(post_box(end, security="none"), 0.2).send(BEGAN)


def test_two_sinks_of_one_name_are_refused() -> None:
    sink = {"name": "team", "kind": "webhook", "url": "https://a.example"}
    with pytest.raises(ValidationError, match="two sinks are named team"):
        Notifications.model_validate({"sinks": [sink, sink]})
