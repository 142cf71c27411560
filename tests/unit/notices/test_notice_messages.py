"""What leaves the installation: signed bodies, incidents and letters, whatever a message says."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from rejoinder.notices.backoff import next_try
from rejoinder.notices.incidents import incident
from rejoinder.notices.kinds import KINDS
from rejoinder.notices.letters import LONGEST_SUBJECT, SHOWN, letter
from rejoinder.notices.notice import Notice
from rejoinder.notices.webhooks import signature, webhook_body

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def notice(
    number: int = 7, kind: str = "refused", message: str = "reply 12: blocked", **more: object
) -> Notice:
    values = {"entity_type": "publication", "entity_id": 12, "created_at": AT, **more}
    return Notice(number, kind, message, **values)  # type: ignore[arg-type]


def test_a_signature_is_that_of_standard_webhooks() -> None:
    # Secret, id, time, body and signature are those of the project's own tests: standard-webhooks/standard-webhooks,
    # libraries/python/tests/test_webhooks.py, test_sign_function (its other libraries hold to the same).
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_of_ones_own_signs_too_and_a_broken_one_is_named() -> None:
    assert signature("any words", "m", AT, b"") != signature("other words", "m", AT, b"")
    with pytest.raises(ConfigInvalid, match="no base64") as told:
        signature("whsec_%%%", "m", AT, b"")
    assert "%%%" not in str(told.value)


@given(st.text(), st.sampled_from(sorted(KINDS)))
def test_a_body_is_json_and_says_what_the_notice_says(message: str, kind: str) -> None:
    told = json.loads(webhook_body("began", [notice(kind=kind, message=message)], installation="here"))
    assert told["notices"][0]["message"] == notice(message=message).told
    assert (told["type"], told["severity"]) == ("rejoinder.notice.began", KINDS[kind].severity)


def test_a_body_carries_key_and_address() -> None:
    told = json.loads(
        webhook_body("ended", [notice(ended_at=AT)], installation="here", address="https://a.example")
    )
    assert told["review_app"] == "https://a.example"
    assert told["notices"][0]["key"] == "here/refused/publication/12/7"
    assert told["notices"][0]["ended_at"] == "2026-11-22T03:04:05Z"


def test_an_incident_is_opened_and_resolved_under_one_key() -> None:
    opened = incident("began", notice(), routing_key="k", installation="here", address="https://a.example")
    closed = incident("ended", notice(), routing_key="k", installation="here")
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert opened["payload"]["severity"] == "warning"  # type: ignore[index]
    assert "payload" not in closed


LONG = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=50), st.integers(1, 20_000))


@settings(max_examples=50)
@given(st.text(max_size=3000) | LONG, st.text(max_size=400))
def test_an_incident_keeps_to_the_limits(message: str, installation: str) -> None:
    told = incident("began", notice(message=message), routing_key="k", installation=installation)
    summary = told["payload"]["summary"]  # type: ignore[index]
    assert 0 < len(summary.encode("utf-16-le")) // 2 <= 1024 and len(summary.splitlines()) == 1
    assert len(str(told["dedup_key"])) <= 255
    assert len(json.dumps(told).encode()) < 512_000


@settings(max_examples=20)
@given(LONG, st.integers(1, 50))
def test_a_body_of_a_webhook_is_not_endless(message: str, count: int) -> None:
    notices = [notice(number, message=message) for number in range(count)]
    assert len(webhook_body("began", notices, installation="here")) < 512_000


@given(st.text(st.characters(categories=("Cc", "Zl", "Zp", "Zs")), max_size=200), st.text(max_size=60))
def test_a_subject_has_no_characters_that_steer(odd: str, installation: str) -> None:
    written = letter("reminded", [notice(message=odd)], installation=f"{installation}{odd}{installation}")
    assert written.subject.isprintable() and len(written.subject) <= LONGEST_SUBJECT
    assert all(c.isprintable() or c in "\n\t" for c in written.body)


@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=120), st.text())
def test_a_letter_has_one_line_of_subject_and_counts_everything(kinds: list[str], message: str) -> None:
    notices = [notice(n, kind, message) for n, kind in enumerate(kinds)]
    written = letter("began", notices, installation="here")
    assert len(written.subject) <= LONGEST_SUBJECT and len(written.subject.splitlines()) == 1
    if len(kinds) > SHOWN:
        assert f"And {len(kinds) - SHOWN} more" in written.body
    if len(kinds) > 1:
        for kind in set(kinds):
            assert f"({kind})" in written.body


def test_a_letter_begins_with_what_is_gravest() -> None:
    written = letter("began", [notice(1, "policy"), notice(2, "auth_expired")], installation="here")
    assert written.subject == "[here] critical: 2 notices"
    assert written.body.index("auth_expired") < written.body.index("policy")


@given(st.integers(1, 60), st.floats(0, 1), st.none() | st.floats(0, 10**7))
def test_waits_grow_within_bounds(attempts: int, chance: float, asked_s: float | None) -> None:
    wait = (next_try(attempts, AT, chance=chance, asked_s=asked_s) - AT).total_seconds()
    assert min(15.0 * 2 ** (attempts - 1), 1800.0) - 0.001 <= wait <= 86_400
    if asked_s is not None:
        assert wait >= min(asked_s, 86_400) - 0.001
