"""Links over HTTP: readers are led to stored targets alone and counted, conversions are taken once."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from api.app import build_app
from api.desk import Desk
from api.pace import LED, Pace
from api.routes.links import _follow
from rejoinder.engagement.visits import visit_of
from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.policy import default_policy
from resources.access.keyring import WatchedKeyring
from resources.store.channels import save_channel
from resources.store.links import PATH, follow, new_code, own_address

TARGET = "https://youtu.be/a1?t=754s"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
POST = """
insert into post (channel_id, platform, platform_post_id, text, created_at, stage, step, status)
values (%s, 'x', '1', 'Why?', now(), 'review', 'review', 'pending') returning id
"""


@pytest.fixture
def link(api: Any) -> dict[str, Any]:
    """A link of ours, made as drafting makes one."""
    return stored_link(api, TARGET)


def stored_link(api: Any, target: str) -> dict[str, Any]:
    code = new_code()
    with api.bench.db.transaction() as tx:
        channel_id = save_channel(
            tx,
            project_id=api.bench.project_id,
            name="x",
            platform="x",
            account="pod",
            base_url=None,
            is_sandbox=True,
            policy=default_policy("sandbox/x/self_serve"),
        )
        row = tx.connection.execute(
            "select id from post union all select null order by 1 nulls last limit 1"
        ).fetchone()
        post_id = row["id"] or tx.connection.execute(POST, (channel_id,)).fetchone()["id"]
        tx.execute(
            "save_tracked_link",
            code=code, address=own_address("https://go.example", code), target=target, post_id=post_id, source_id=None,
        )  # fmt: skip
    return {
        "code": code,
        "path": f"{PATH}{code}",
        "address": f"https://go.example/l/{code}",
        "post_id": post_id,
    }


def visits(api: Any) -> list[tuple[Any, ...]]:
    with api.bench.db.transaction() as tx:
        rows = tx.connection.execute(
            "select day, referrer_host, is_bot, visits from link_visit order by referrer_host, is_bot"
        ).fetchall()
    return [tuple(row.values()) for row in rows]


def open_link(api: Any, path: str, method: str = "GET", **headers: str) -> Any:
    api.client.headers.pop("Authorization", None)
    return api.client.request(method, path, headers={**BROWSER, **headers})


def test_a_reader_is_led_to_the_second_and_counted_without_being_known(
    api: Any, link: dict[str, Any]
) -> None:
    for referrer in ("https://www.reddit.com/r/x/comments/1?utm=ann", "https://www.reddit.com/", ""):
        answer = open_link(api, link["path"], **({"Referer": referrer} if referrer else {}))
        assert (answer.status_code, answer.headers["Location"]) == (302, TARGET)
        assert answer.headers["Cache-Control"] == "no-store"
    open_link(api, link["path"], **{"User-Agent": "Twitterbot/1.0"})
    today = datetime.now(UTC).date()
    assert visits(api) == [(today, "", False, 1), (today, "", True, 1), (today, "www.reddit.com", False, 2)]


def test_who_only_looks_ahead_is_led_and_not_counted(api: Any, link: dict[str, Any]) -> None:
    assert open_link(api, link["path"], "HEAD").headers["Location"] == TARGET
    for early in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
        assert open_link(api, link["path"], **early).status_code == 302
    assert visits(api) == []


def test_nothing_that_a_visitor_sends_changes_where_it_leads(api: Any, link: dict[str, Any]) -> None:
    for tail in (
        "?url=https://evil.example",
        "?next=//evil.example",
        "#https://evil.example",
        "?" + "a" * 900,
    ):
        assert open_link(api, link["path"] + tail).headers["Location"] == TARGET
    for path in (
        "/l/https://evil.example",
        "/l//evil.example",
        "/l/%2F%2Fevil.example",
        "/l/" + "x" * 12,
        "/l/short",
    ):
        answer = open_link(api, path)
        assert answer.status_code in (404, 422), path
        assert "Location" not in answer.headers
    assert open_link(api, link["path"], "POST").status_code == 405


def test_where_a_link_leads_cannot_be_changed_in_the_database(api: Any, link: dict[str, Any]) -> None:
    for change in ("target = 'https://evil.example'", "code = 'bbbbbbbbbbbb'"):
        with pytest.raises(Exception, match="permission denied"), api.bench.db.transaction() as tx:
            tx.connection.execute(f"update tracked_link set {change}")  # type: ignore[arg-type]
    for target in ("javascript:alert(1)", "//evil.example", "https://a b.example"):
        with pytest.raises(Exception, match="violates check constraint"):
            stored_link(api, target)


def test_sites_by_name_are_few_a_day(api: Any, link: dict[str, Any]) -> None:
    with api.bench.db.transaction() as tx:
        for n in range(40):
            seen = visit_of("GET", {"referer": f"https://s{n}.example/", "user-agent": "Mozilla/5.0"})
            assert follow(tx, link["code"], seen, date(2026, 11, 22)) == TARGET
    hosts = {host: n for _, host, _, n in visits(api)}
    assert len(hosts) == 21 and hosts["other"] == 20


def test_a_site_of_ones_own_is_told_the_code(api: Any) -> None:
    shop = stored_link(api, "https://shop.example/course?page=2#t=64")
    links = api.bench.tuning.links.model_copy(update={"own_hosts": ("shop.example",)})
    tuning = api.bench.tuning.model_copy(update={"links": links})
    desk = Desk(replace(api.bench, tuning=tuning), None)  # type: ignore[arg-type]
    assert _follow(desk, shop["code"], None) == f"https://shop.example/course?page=2&rj={shop['code']}#t=64"


def told(api: Any, **changes: Any) -> Any:
    body = {"external_id": "order-1", "kind": "order", "value_usd": 12.5, **changes}
    return api.post("/internal/conversions", json={k: v for k, v in body.items() if v is not None})


def test_a_conversion_is_taken_once(api: Any, link: dict[str, Any]) -> None:
    first = told(api, link=link["code"])
    assert (first.status_code, first.json()) == (201, {"external_id": "order-1", "outcome": "recorded"})
    again = told(api, link=link["address"])
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    other = told(api, link=link["code"], value_usd=13)
    assert (other.status_code, other.json()["type"]) == (409, "urn:rejoinder:problem:conflict")
    assert told(api, link=link["code"], external_id="order-2", value_usd=None).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"link": "nosuchcode12"},
        {"value_usd": -1},
        {"value_usd": "NaN"},
        {"value_usd": 1e9},
        {"value_usd": 0.00001},
        {"external_id": ""},
        {"external_id": "a\0b"},
        {"occurred_at": "2026-11-22T09:30:00"},
        {"occurred_at": "9999-12-31T23:59:59-14:00"},
        {"occurred_at": "1970-01-01T00:00:00Z"},
        {"person": "ann"},
    ],
)
def test_a_wrong_conversion_is_refused_and_nothing_is_kept(
    api: Any, link: dict[str, Any], wrong: Any
) -> None:
    answer = told(api, **{"link": link["code"], **wrong})
    assert answer.status_code == 422, answer.text
    with api.bench.db.transaction() as tx:
        assert tx.connection.execute("select count(*) as n from conversion").fetchone()["n"] == 0


def test_conversions_need_their_scope(api: Any, link: dict[str, Any]) -> None:
    api.client.headers["Authorization"] = f"Bearer {api.token('sources:write', 'search')}"
    assert told(api, link=link["code"]).status_code == 403
    api.client.headers.pop("Authorization")
    assert told(api, link=link["code"]).status_code == 401


def test_a_flood_from_one_address_locks_nobody_elses_links(
    api: Any, link: dict[str, Any], served: Any
) -> None:
    desk = Desk(api.bench, WatchedKeyring(api.bench.settings.home_dir), pace=Pace(now_s=lambda: 0.0))
    with httpx.Client(base_url=served(build_app(desk)), trust_env=False, headers=BROWSER) as client:

        def opened(address: str) -> httpx.Response:
            return client.get(link["path"], headers={"X-Forwarded-For": address})

        answers = [opened("198.51.100.7") for _ in range(int(LED.at_once) + 1)]
        assert [answer.status_code for answer in answers] == [302] * int(LED.at_once) + [429]
        assert answers[-1].headers["Retry-After"] == "2" and "Location" not in answers[-1].headers
        assert opened("203.0.113.9").headers["Location"] == TARGET
    # Both read it; however often the one came, it read it once.
    assert [row[3] for row in visits(api)] == [2]


def test_what_a_reader_says_of_its_own_address_is_not_believed(api: Any, link: dict[str, Any]) -> None:
    for n in range(5):
        open_link(api, link["path"], **{"X-Forwarded-For": f"192.0.2.{n}, 198.51.100.7"})
    assert [row[3] for row in visits(api)] == [1]


def test_a_look_before_the_visit_does_not_take_its_place(api: Any, link: dict[str, Any]) -> None:
    reader = {"X-Forwarded-For": "198.51.100.7"}
    open_link(api, link["path"], "HEAD", **reader)
    open_link(api, link["path"], **reader, **{"Sec-Purpose": "prefetch"})
    assert visits(api) == []
    open_link(api, link["path"], **reader)
    assert [row[3] for row in visits(api)] == [1]


def test_readers_whom_no_proxy_names_are_all_led(api: Any, link: dict[str, Any]) -> None:
    for _ in range(int(LED.at_once) + 20):
        assert open_link(api, link["path"]).status_code == 302


def test_a_reader_is_led_where_the_database_cannot_be_asked(
    api: Any, link: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_link(api, link["path"]).status_code == 302

    def away(*_: Any) -> None:
        raise ServiceUnavailable("the database is away")

    monkeypatch.setattr("api.routes.links.follow", away)
    assert open_link(api, link["path"]).headers["Location"] == TARGET
    assert open_link(api, f"{PATH}{new_code()}").status_code == 503
