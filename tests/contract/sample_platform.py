"""An adapter as another package would write it, for a small forum, and the forum to rehearse on.

It speaks HTTP with the standard library and knows nothing of Rejoinder but the port and its failures.
"""

import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.post import Post
from resources.platforms.failures import AuthExpired, OutcomeUnknown, RateLimited, Refused, Unreachable
from resources.platforms.port import Capability, DayCount, Heard, Metrics, ReadBack, Sent, Standing
from resources.platforms.rehearsal import Attempt, Fault

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
REAL = "https://forum.example"


def open_forum(
    credentials: Mapping[str, str], *, base_url: str | None, clock: Any, meter: Any
) -> "ForumClient":
    """The entry point of the adapter."""
    if missing := [name for name in ("name", "key") if not credentials.get(name)]:
        raise ConfigInvalid(f"the channel's credentials lack {', '.join(missing)}")
    return ForumClient(base_url or REAL, credentials["name"], credentials["key"], clock, meter)


class ForumClient:
    """`PlatformClient` for the forum."""

    platform = "forum"
    text_limit = 500
    capabilities: frozenset[Capability] = frozenset({"hear", "look_up", "publish", "metrics"})

    def __init__(self, address: str, account: str, key: str, clock: Any, meter: Any) -> None:
        self.account = account
        self._address, self._key, self._clock, self._meter = address, key, clock, meter

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        is_write = body is not None
        data = json.dumps(body).encode() if is_write else None
        request = urllib.request.Request(self._address + path, data, {"authorization": self._key})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                failure = self._refusal(error, is_write)
        except urllib.error.URLError as error:
            failure = Unreachable(f"no connection ({type(error.reason).__name__})")
        except (OSError, HTTPException, ValueError) as error:
            failure = (OutcomeUnknown if is_write else Unreachable)(f"no answer ({type(error).__name__})")
        raise failure

    def _refusal(self, error: urllib.error.HTTPError, is_write: bool) -> Exception:
        if error.code == 429:
            wait_s = error.headers.get("retry-after")
            return RateLimited(self._clock() + timedelta(seconds=float(wait_s)) if wait_s else None)
        if error.code == 401:
            return AuthExpired("the key was refused")
        if error.code >= 500:
            return (OutcomeUnknown if is_write else Unreachable)(f"the forum answered {error.code}")
        return Refused(json.load(error).get("code", "forbidden"), f"the forum answered {error.code}")

    def hear(self, cursor: Mapping[str, str], rules: Any, communities: Any) -> Heard:
        since = int(cursor.get("since", "0"))
        rows = [row for row in self._ask(f"/posts?since={since}") if row["author"] != self.account]
        self._meter.count("post_read", [str(row["id"]) for row in rows])
        newest = max([since, *(row["id"] for row in rows)])
        return Heard(tuple(map(_post, rows)), {"since": str(newest)})

    def publish(self, parent_id: str, text: str) -> Sent:
        return _sent(self._ask("/replies", {"parent": int(parent_id), "text": text}))

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        until = self.now()
        found = [row for row in self._ask("/posts?since=0") if row["author"] == self.account]
        same = [row for row in found if (row["parent"], row["text"]) == (int(parent_id), text)]
        return ReadBack(_sent(same[0]) if same else None, until, True)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        rows = {str(row["id"]): row for row in self._ask("/posts?since=0")}
        return {i: Standing(_post(rows[i])) if i in rows else Standing(None, "deleted") for i in ids}

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        return {
            i: Metrics(None, 1, 0, 0, is_deleted=standing.is_gone)
            for i, standing in self.look_up(ids).items()
        }

    def stream(self, rules: Any, stop: Any) -> Iterator[Post]:
        raise Refused("invalid", "the forum has no stream")

    def search(self, query: str, since: datetime, most: int) -> Heard:
        raise Refused("invalid", "the forum has no search")

    def thread(self, post: Post, most: int) -> tuple[Post, ...]:
        raise Refused("invalid", "the forum has no threads")

    def counts(self, query: str) -> tuple[DayCount, ...]:
        raise Refused("invalid", "the forum does not count")

    def replies(self, parent_id: str, since: datetime, most: int) -> Heard:
        raise Refused("invalid", "the forum is heard and not asked")

    def now(self) -> datetime:
        found: datetime = self._clock()
        return found


def _post(row: Mapping[str, Any]) -> Post:
    return Post("forum", str(row["id"]), row["text"], datetime.fromisoformat(row["at"]), author=row["author"])


def _sent(row: Mapping[str, Any]) -> Sent:
    return Sent(str(row["id"]), datetime.fromisoformat(row["at"]))


class ForumRehearsal:
    """The forum in this process; `Rehearsal`."""

    platform = "forum"
    parent_id, other_parent_id, unknown_id = "1", "2", "999"
    faults: frozenset[Fault] = frozenset(
        {
            "commit_then_503",
            "commit_then_drop",
            "503",
            "drop",
            "429",
            "429_no_headers",
            "401",
            "slow",
            "slow_body",
        }
    )

    def __init__(self) -> None:
        self.credentials = {"name": "sample_account", "key": "the-forums-key"}
        self.posts: dict[int, dict[str, Any]] = {}
        self.tried: list[tuple[int, Attempt]] = []
        self.ordered: list[tuple[Fault, float]] = []
        self.ids = itertools.count(1)
        for n in range(1, 4):
            self.add("reader", f"question {n}", None)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def add(self, author: str, text: str, parent: int | None) -> dict[str, Any]:
        number = next(self.ids)
        at = datetime.now(UTC).isoformat()
        self.posts[number] = {"id": number, "author": author, "text": text, "parent": parent, "at": at}
        return self.posts[number]

    def fault(self, kind: Fault, times: int = 1, delay_s: float = 0.0) -> None:
        self.ordered += [(kind, delay_s)] * times

    def attempts(self, parent_id: str) -> Sequence[Attempt]:
        return [attempt for parent, attempt in self.tried if parent == int(parent_id)]

    def delete(self, post_id: str) -> None:
        del self.posts[int(post_id)]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def reply(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        """A reply without faults."""
        if body["parent"] not in self.posts:
            return 404, {"code": "parent_gone"}
        if len(body["text"]) > ForumClient.text_limit:
            return 400, {"code": "too_long"}
        return 200, self.add("sample_account", body["text"], body["parent"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forum = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def answer(self, status: int, body: Any, drip_s: float = 0.0, **headers: str) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"content-length": str(len(data)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    time.sleep(drip_s / len(data))

            def is_known(self) -> bool:
                return self.headers["authorization"] == forum.credentials["key"]

            def do_GET(self) -> None:
                since = int(self.path.partition("since=")[2] or 0)
                found = [row for row in forum.posts.values() if row["id"] > since]
                self.answer(200 if self.is_known() else 401, found)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                kind, delay_s = forum.ordered.pop(0) if forum.ordered else ("", 0.0)
                refused = {"503": 503, "429": 429, "429_no_headers": 429, "401": 401}.get(kind)
                refused = refused or (None if self.is_known() else 401)
                if refused or kind == "drop":
                    status, made = refused, None
                else:
                    status, made = forum.reply(body)
                is_taken = status == 200
                entry = Attempt(str(made["id"]) if is_taken else None, body["text"], is_taken)
                forum.tried.append((body["parent"], entry))
                if kind in {"drop", "commit_then_drop"}:
                    self.close_connection = True
                    return
                time.sleep(delay_s if kind == "slow" else 0)
                status = 503 if kind == "commit_then_503" else int(status or 500)
                wait = {"retry_after": "60"} if kind == "429" else {}
                self.answer(status, made, delay_s if kind == "slow_body" else 0.0, **wait)

        return Handler
