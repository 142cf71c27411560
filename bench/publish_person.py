"""The person of a fault campaign: looks at an account's timeline as anybody can, and says what became of a reply."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.publish_desk import Desk
from bench.publish_plan import Account, Wanted
from resources.commands.publications import settle_unknown
from resources.commands.review import approve

# X refuses words that the account has said elsewhere; after an outcome that was not seen that stays unknown.
MOST_RESENDS = 4
# Refusals that say nothing of the reply: somebody who reads them tries once more.
WORTH_ANOTHER_TRY = frozenset({"forbidden", "usage_capped"})

ABSENT = """
select id, parts_sent from publication
where state = 'unknown' and reason_code = 'read_back_absent' order by id
"""
# Refused for such a reason, or cancelled as its time had passed while a limit kept it back.
WAITING_AGAIN = """
select p.id, p.post_id from publication p join post o on o.id = p.post_id
where p.parts_sent = 0 and (
    p.state = 'refused' and p.reason_code = any (%s) and (o.stage, o.status) = ('post_queue', 'failed')
    or p.state = 'cancelled' and p.reason_code = 'missed_schedule' and (o.stage, o.status) = ('review', 'pending'))
order by p.id
"""


@dataclass(slots=True)
class Person:
    """Settles what no machine may; counts what was asked of it."""

    desk: Desk
    platforms: "Timelines"
    wanted: Mapping[int, Wanted]  # by publication
    found: int = 0
    sent_again: int = 0
    approved_again: int = 0
    given_up: int = 0
    resent: Counter[int] = field(default_factory=Counter)
    tried: set[int] = field(default_factory=set)

    def settle(self) -> int:
        """Decide about every reply that waits for a person; how many those were."""
        decided = 0
        standing: dict[str, dict[tuple[str, str], str]] = {}
        for row in self.desk.rows(ABSENT):
            one = self.wanted[row["id"]]
            if one.account.name not in standing:
                standing[one.account.name] = self.platforms.standing(one.account)
            decided += self._decide(row["id"], one, row["parts_sent"], standing[one.account.name])
        return decided + self._approve_again()

    def _decide(
        self, publication_id: int, one: Wanted, parts_sent: int, standing: Mapping[tuple[str, str], str]
    ) -> int:
        parent = one.parent_id
        for text in one.texts[:parts_sent]:
            parent = standing.get((parent, text), "")
        arrived = standing.get((parent, one.texts[parts_sent]))
        if arrived:
            settle_unknown(self.desk.app, self.desk.approver, publication_id, "sent", arrived)
            self.found += 1
        elif self.resent[publication_id] >= MOST_RESENDS:
            settle_unknown(self.desk.app, self.desk.approver, publication_id, "abandoned")
            self.given_up += 1
        else:
            settle_unknown(self.desk.app, self.desk.approver, publication_id, "queued", confirm=True)
            self.resent[publication_id] += 1
            self.sent_again += 1
        return 1

    def _approve_again(self) -> int:
        rows = [
            row
            for row in self.desk.rows(WAITING_AGAIN, list(WORTH_ANOTHER_TRY))
            if row["post_id"] not in self.tried
        ]
        for row in rows:
            one = self.wanted[row["id"]]
            version = self.desk.version(row["post_id"])
            made = approve(
                self.desk.app, self.desk.approver, row["post_id"], version=version, texts=one.texts
            )
            self.wanted = {**self.wanted, int(made.publication_id): one}
            self.tried.add(row["post_id"])
        self.approved_again += len(rows)
        return len(rows)


@dataclass(slots=True)
class Timelines:
    """The accounts' own timelines, read over the platforms' public APIs with the accounts' tokens."""

    api: httpx.Client
    keys: Mapping[str, Any]

    def standing(self, account: Account) -> dict[tuple[str, str], str]:
        """Ids of what stands there, by parent and text."""
        pages = self._x(account) if account.platform == "x" else self._reddit(account)
        return {(parent, text): reply_id for parent, text, reply_id in pages}

    def _x(self, account: Account) -> Iterator[tuple[str, str, str]]:
        headers = {"Authorization": f"Bearer {self.keys[account.name]['x']['oauth2_user_token']}"}
        user_id = self._get("/2/users/me", headers, {})["data"]["id"]
        given = {"max_results": "100", "tweet.fields": "referenced_tweets"}
        while True:
            page = self._get(f"/2/users/{user_id}/tweets", headers, given)
            for item in page.get("data", []):
                for reference in item.get("referenced_tweets", []):
                    yield reference["id"], item["text"], item["id"]
            if "next_token" not in page["meta"]:
                return
            given["pagination_token"] = page["meta"]["next_token"]

    def _reddit(self, account: Account) -> Iterator[tuple[str, str, str]]:
        keys = self.keys[account.name]["reddit"]
        headers = {"User-Agent": "linux:rejoinder-campaign:1 (by /u/campaign)"}
        grant = {"grant_type": "password", "username": keys["username"], "password": keys["password"]}
        signed = self._call(
            "POST",
            "/api/v1/access_token",
            headers=headers,
            data=grant,
            auth=(keys["client_id"], keys["client_secret"]),
        )
        headers["Authorization"] = f"Bearer {signed['access_token']}"
        given = {"limit": "100"}
        while True:
            page = self._get(f"/user/{account.name}/comments", headers, given)["data"]
            for child in page["children"]:
                item = child["data"]
                yield item["parent_id"], item["body"], item["name"]
            if not page["after"]:
                return
            given["after"] = page["after"]

    def _get(self, path: str, headers: Mapping[str, str], given: Mapping[str, str]) -> Any:
        return self._call("GET", path, headers=headers, params=given)

    def _call(self, method: str, path: str, **named: Any) -> Any:
        """A call that is repeated: people reload a page that does not show."""
        for tries_left in (3, 2, 1, 0):
            try:
                return self.api.request(method, path, **named).raise_for_status().json()
            except httpx.HTTPError:
                if not tries_left:
                    raise
        raise AssertionError
