"""Posts that change on X: edits with and without a new id, deleted and protected posts, over HTTP."""

from typing import Any

import pytest
import requests

from resources.platforms.port import PlatformClient

FIRST, SECOND, THIRD = (str(2_100_000_000_000_000_000 + n) for n in (1, 2, 3))


@pytest.fixture
def bearer(sandbox: Any) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {sandbox.get('credentials')['x']['bearer_token']}"
    return session


def looked_up(sandbox: Any, bearer: requests.Session, *ids: str) -> dict[str, Any]:
    wanted = {"ids": ",".join(ids), "tweet.fields": "edit_controls"}
    answer = bearer.get(f"{sandbox.url}/2/tweets", params=wanted, timeout=30)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def searched(sandbox: Any, bearer: requests.Session, query: str) -> list[str]:
    answer = bearer.get(f"{sandbox.url}/2/tweets/search/recent", params={"query": query}, timeout=30)
    return [post["id"] for post in answer.json().get("data", [])]


def test_edit_on_the_spot_keeps_the_id(sandbox: Any, bearer: requests.Session) -> None:
    sandbox.post(f"posts/{FIRST}", text="@sample_account it was about threads")
    (post,) = looked_up(sandbox, bearer, FIRST)["data"]
    assert post["text"] == "@sample_account it was about threads"
    assert post["edit_history_tweet_ids"] == [FIRST]
    assert FIRST not in searched(sandbox, bearer, "asyncio")


def test_edit_as_x_does_makes_a_version(sandbox: Any, bearer: requests.Session) -> None:
    made = sandbox.post(f"posts/{FIRST}", text="asyncio, said better", new_id=True)["id"]
    body = looked_up(sandbox, bearer, FIRST, made)
    assert [post["id"] for post in body["data"]] == [FIRST, made]
    assert [post["edit_history_tweet_ids"] for post in body["data"]] == [[FIRST, made]] * 2
    assert body["data"][1]["text"] == "asyncio, said better"
    assert body["data"][1]["edit_controls"]["edits_remaining"] == 4
    found = searched(sandbox, bearer, "asyncio")
    assert made in found and FIRST not in found


def test_deleting_one_version_deletes_all(sandbox: Any, bearer: requests.Session) -> None:
    made = sandbox.post(f"posts/{FIRST}", text="asyncio, said better", new_id=True)["id"]
    sandbox.post(f"posts/{FIRST}", deleted=True)
    assert len(looked_up(sandbox, bearer, FIRST, made)["errors"]) == 2


def test_deleted_and_protected_posts_are_told_apart(sandbox: Any, bearer: requests.Session) -> None:
    sandbox.post(f"posts/{FIRST}", deleted=True)
    sandbox.post(f"posts/{SECOND}", protected=True)
    body = looked_up(sandbox, bearer, FIRST, SECOND, THIRD)
    assert [post["id"] for post in body["data"]] == [THIRD]
    kinds = {error["resource_id"]: error["type"].rsplit("/", 1)[-1] for error in body["errors"]}
    assert kinds == {FIRST: "resource-not-found", SECOND: "not-authorized-for-resource"}
    assert not {FIRST, SECOND} & set(searched(sandbox, bearer, "asyncio"))


def test_client_sees_which_posts_stand(sandbox: Any, x_client: PlatformClient) -> None:
    sandbox.post(f"posts/{FIRST}", text="something else now")
    sandbox.post(f"posts/{SECOND}", protected=True)
    standing = x_client.look_up([FIRST, SECOND])
    assert standing[FIRST].post is not None and standing[FIRST].post.text == "something else now"
    assert standing[SECOND].post is None


def test_unknown_and_replaced_posts_cannot_be_edited(sandbox: Any) -> None:
    sandbox.post(f"posts/{FIRST}", text="a new version", new_id=True)
    for post_id, status in ((FIRST, 400), ("1999", 404)):
        answer = requests.post(
            f"{sandbox.url}/sandbox/posts/{post_id}", json={"text": "again", "new_id": True}, timeout=30
        )
        assert answer.status_code == status
