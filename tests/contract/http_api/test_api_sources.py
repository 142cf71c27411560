"""Sources over HTTP: brought in once however often, seen on their way, done again, never larger than allowed."""

from typing import Any

import pytest
from problem_answer import problem

from resources.commands.actors import machine_owner
from resources.commands.sources import add_upload
from resources.inbox import open_intake, work_off_inputs
from resources.wiring import run_step

PASSWORD = "correct horse battery"  # pragma: allowlist secret
SALT = b"1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n"


def states(api: Any, number: int) -> dict[str, str]:
    return {step["step"]: step["state"] for step in api.get(f"/sources/{number}").json()["steps"]}


def test_a_file_is_read_once_however_often_it_is_sent(api: Any) -> None:
    first, second = api.upload("on-salt.srt", SALT), api.upload("on-salt.srt", SALT)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json() == {**first.json(), "name": "on-salt.srt", "outcome": "waiting"}
    place = first.headers["location"]
    assert states(api, first.json()["id"])["extract"] == "waiting"
    work_off_inputs(api.bench)
    third = api.upload("on-salt.srt", SALT)
    assert (third.status_code, third.json()["outcome"]) == (200, "unchanged")
    assert third.headers["location"] == place
    assert api.get("/sources").json()["total"] == 1
    found = api.get(place).json()
    assert found["outcome"] == "new" and found["source"]["origin"] == "api" and found["source"]["n_cues"] == 1
    assert api.get(f"/internal{place}/content").content == SALT


def test_a_name_from_elsewhere_keeps_its_source(api: Any) -> None:
    intake = open_intake(api.bench, machine_owner())
    add_upload(intake, machine_owner(), "on-salt.srt", SALT.replace(b"salt", b"ash"))
    for _ in range(2):
        sent = api.upload("on-salt.srt", SALT).json()
        assert (sent["name"], sent["told_apart_from"]) == ("api/on-salt.srt", "on-salt.srt")
    work_off_inputs(api.bench)
    sent = api.upload("on-salt.srt", SALT).json()
    assert (sent["outcome"], sent["name"], sent["told_apart_from"]) == (
        "unchanged",
        "api/on-salt.srt",
        "on-salt.srt",
    )
    assert api.get("/sources").json()["total"] == 2
    assert api.upload("on-ash.srt", SALT).json()["told_apart_from"] is None


def test_how_far_each_step_is_shows(api: Any) -> None:
    number = api.upload("on-salt.srt", SALT).json()["id"]
    work_off_inputs(api.bench)
    assert states(api, number) == {
        "extract": "done",
        "chunk": "waiting",
        "embed": "waiting",
        "keywords": "waiting",
    }
    for step in ("chunk", "embed_chunks", "keywords"):
        run_step(api.bench, step)
    assert set(states(api, number).values()) == {"done"}
    again = api.post(f"/internal/sources/{number}/process", json={"step": "chunk"})
    assert again.status_code == 202 and again.json()["step"] == "chunk"
    assert states(api, number) == {
        "extract": "done",
        "chunk": "waiting",
        "embed": "waiting",
        "keywords": "waiting",
    }
    assert api.post(f"/internal/sources/{number}/process").json()["step"] == "extract"
    assert states(api, number)["extract"] == "waiting"


def test_what_cannot_be_read_has_a_reason(api: Any) -> None:
    number = api.upload("empty.vtt", b"").json()["id"]
    work_off_inputs(api.bench)
    found = api.get(f"/sources/{number}").json()
    assert found["source"]["standing"] == "quarantined"
    assert found["steps"][0] == {
        "step": "extract",
        "state": "quarantined",
        "attempts": 0,
        "reason": "the file is empty",
    }
    (listed,) = api.get("/internal/quarantine").json()["quarantined"]
    assert (listed["id"], listed["reason"]) == (number, "the file is empty")
    assert api.get("/sources?state=trouble").json()["total"] == 1
    assert api.get("/sources?state=ready").json()["total"] == 0


def test_what_was_given_up_is_listed_and_comes_back(api: Any) -> None:
    number = api.upload("on-salt.srt", SALT).json()["id"]
    with api.bench.db.transaction() as tx:
        tx.connection.execute("update ingestion set status = 'dead', last_error = 'it was dark'")
        tx.connection.execute(
            "insert into dead_letter (item_table, item_id, step, reason)"
            " values ('ingestion', %s, 'extract', 'it was dark')",
            (number,),
        )
    (dead,) = api.get("/internal/dead-letters").json()["dead_letters"]
    assert (dead["input_id"], dead["name"], dead["reason"]) == (number, "on-salt.srt", "it was dark")
    (step, *_) = api.get(f"/sources/{number}").json()["steps"]
    assert (step["state"], step["reason"]) == ("dead", "it was dark")
    assert api.post("/internal/retry", json={"step": "extract"}).json() == {"revived": 1, "hurried": 0}
    assert states(api, number)["extract"] == "waiting"
    assert api.get("/internal/dead-letters").json()["dead_letters"] == []


def test_an_address_waits_and_its_key_is_never_shown(api: Any) -> None:
    secret = "hunter2hunter2"  # pragma: allowlist secret
    taken = api.post("/sources/from-url", json={"url": f"https://pod.example/feed?token={secret}"})
    assert taken.status_code == 202
    shown = taken.text + api.get(taken.headers["location"]).text + api.get("/sources").text
    assert secret not in shown
    assert states(api, taken.json()["id"])["fetch"] == "waiting"
    for url in ("ftp://pod.example/a.vtt", "pod.example/a.vtt"):
        assert "http" in problem(api.post("/sources/from-url", json={"url": url}), 422, "invalid")["detail"]


def test_a_feed_is_followed_or_not(api: Any) -> None:
    with api.bench.db.transaction() as tx:
        row = tx.connection.execute(
            "insert into feed (project_id, name, url, n_left)"
            " values (%s, 'pod', 'https://pod.example/rss', 7) returning id",
            (api.bench.project_id,),
        ).fetchone()
    number = row["id"]
    (feed,) = api.get("/feeds").json()["feeds"]
    assert (feed["name"], feed["n_left"]) == ("pod", 7)
    assert api.client.patch(f"/feeds/{number}", json={"is_followed": False}).json()["is_followed"] is False
    problem(api.client.patch(f"/feeds/{number + 1}", json={"is_followed": True}), 404, "not-found")


def test_the_list_has_pages(api: Any) -> None:
    for number in range(5):
        api.upload(f"{number}.srt", SALT.replace(b"wheel", f"wheel {number}".encode()))
    pages = [api.get(f"/sources?limit=2&offset={offset}").json() for offset in (0, 2, 4)]
    names = [source["name"] for page in pages for source in page["sources"]]
    assert sorted(names) == [f"{number}.srt" for number in range(5)]
    assert {page["total"] for page in pages} == {5}
    assert [s["name"] for s in api.get("/sources?search=3.srt").json()["sources"]] == ["3.srt"]


def test_a_body_has_bounds(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    largest = api.bench.tuning.ingestion.largest_bytes
    problem(api.upload("long.txt", b"a" * (largest + 200_000)), 413, "too-large")

    def endless() -> Any:
        for _ in range(100):
            yield b" " * 65_536

    headers = {"content-type": "application/json"}
    problem(api.post("/sources/from-url", content=endless(), headers=headers), 413, "too-large")
    assert api.get("/sources").json()["total"] == 0


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/sources", {"content": b"a"}, 415, "media-type"),
    ("/sources", {"data": {"name": "a"}, "files": {"other": b"a"}}, 422, "invalid"),
    (
        "/sources",
        {"content": b"--x", "headers": {"content-type": "multipart/form-data"}},
        400,
        "malformed",
    ),
    ("/sources", {"files": [("file", ("a", b"a")), ("file", ("b", b"b"))]}, 400, "malformed"),
    ("/sources", {"files": {"file": (" ", b"a")}}, 422, "invalid"),
    (
        "/sources/from-url",
        {"content": b"{", "headers": {"content-type": "application/json"}},
        422,
        "invalid",
    ),
    ("/sources/from-url", {"json": {"url": "https://pod.example/a", "x": 1}}, 422, "invalid"),
    ("/internal/sources/999/process", {}, 404, "not-found"),
    ("/internal/retry", {"json": {"step": "draft"}}, 422, "invalid"),
    ("/health", {}, 405, "method"),
    ("/nowhere", {}, 404, "not-found"),
]


def test_what_is_wrong_is_a_problem(api: Any) -> None:
    for path, options, status, kind in WRONG:
        problem(api.post(path, **options), status, kind)


def test_a_step_that_cannot_be_done_says_why(api: Any) -> None:
    number = api.upload("on-salt.srt", SALT).json()["id"]
    wrong = problem(api.post(f"/internal/sources/{number}/process", json={"step": "fetch"}), 422, "invalid")
    assert "was not fetched" in wrong["detail"]
    problem(api.post(f"/internal/sources/{number}/process", json={"step": "bake"}), 422, "invalid")


def test_a_request_has_an_id(api: Any) -> None:
    assert api.get("/health", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = {
        api.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"]
        for given in ("a b", b"\xe9")
    }
    assert len(made) == 2 and all(len(one) == 16 for one in made)


def test_ready_is_told(api: Any) -> None:
    answer = api.get("/ready")
    assert answer.status_code == 200 and answer.json()["migrations"]["applied"] > 0


def test_ready_says_whether_tables_and_code_fit(api: Any, owner_db: Any) -> None:
    assert api.get("/health").json()["status"] == "ok"
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "delete from schema_migration where number = (select max(number) from schema_migration)"
        )
    late = api.get("/ready")
    assert "migration" in problem(late, 503, "unavailable")["detail"] and late.headers["retry-after"]
