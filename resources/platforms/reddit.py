"""Reddit through praw: one account, requests sent as they are so that praw repeats none."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import praw

from rejoinder.listening.post import Platform, Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.clocks import Clock
from resources.platforms.conversations import climb
from resources.platforms.credentials import RedditCredentials, read_credentials
from resources.platforms.failures import OutcomeUnknown, RateLimited, Refused, Unreachable
from resources.platforms.metering import FREE
from resources.platforms.port import (
    Capability,
    DayCount,
    Heard,
    Meter,
    Metrics,
    ReadBack,
    Sent,
    Standing,
    Stop,
    Unreadable,
)
from resources.platforms.reddit_answers import envelope_failure, read_listing, read_metrics
from resources.platforms.reddit_lookup import look_up, search_back
from resources.platforms.reddit_poll import Fetch, community_problem, poll_community
from resources.platforms.reddit_wire import OneShot, from_epoch, reddit_failure

OAUTH_HOST = "https://oauth.reddit.com"
TOKEN_HOST = "https://www.reddit.com"  # noqa: S105 - an address
LONGEST_PAGE = 100
PAGES_OF_COMMENTS = 10  # Reddit lists at most 1,000


def open_reddit(
    credentials: Mapping[str, str], *, base_url: str | None, clock: Clock, meter: Meter = FREE
) -> "RedditClient":
    """A client for Reddit; nothing is sent yet."""
    return RedditClient(read_credentials(RedditCredentials, credentials), base_url, clock, meter)


class RedditClient:
    """`PlatformClient` for Reddit."""

    platform: Platform = "reddit"
    text_limit = 10_000
    capabilities: frozenset[Capability] = frozenset(
        {"hear", "search", "look_up", "thread", "publish", "metrics"}
    )

    def __init__(
        self, credentials: RedditCredentials, base_url: str | None, clock: Clock, meter: Meter = FREE
    ) -> None:
        self._username = credentials.username
        self._clock = clock
        self._meter = meter
        self._reddit = praw.Reddit(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            user_agent=credentials.user_agent or f"python:rejoinder:0.1 (by /u/{credentials.username})",
            oauth_url=base_url or OAUTH_HOST,
            reddit_url=base_url or TOKEN_HOST,
            requestor_class=OneShot,
            ratelimit_seconds=0,
            check_for_updates=False,
            check_for_async=False,
            **grant(credentials),
        )

    @property
    def account(self) -> str:
        """Handle of the account."""
        return self._username

    def _call(self, method: str, path: str, given: Mapping[str, str]) -> Any:
        # Raised outside the except block: prawcore's exceptions hold the request, password included.
        is_write = method != "GET"
        named: dict[str, Any] = {"data": dict(given)} if is_write else {"params": dict(given)}
        try:
            return self._reddit.request(method=method, path=path, **named)
        except Exception as error:
            failure = reddit_failure(error, self._clock, is_write=is_write)
        raise failure

    def _listing(self, path: str, given: Mapping[str, str]) -> Any:
        body = self._call("GET", path, given)
        try:
            read_listing(body)
        except ValueError as error:
            raise Unreachable(str(error)) from None
        return body

    def hear(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], communities: Sequence[str]
    ) -> Heard:
        """New submissions of the communities named and of those in the rules."""
        named = [*communities, *(name for rule in rules for name in rule.communities)]
        progress, is_complete = dict(cursor), True
        posts: dict[str, Post] = {}
        unreadable: list[Unreadable] = []
        for name in {each.lower(): each for each in named}.values():
            try:
                found, broken = poll_community(name, self._new_of(name), progress)
            except Refused as failure:
                found, broken = [], [community_problem(name, failure)]
            except RateLimited:
                if not posts:
                    raise
                is_complete = False
                break
            posts.update((post.platform_post_id, post) for post in found)
            unreadable += broken
        in_order = sorted(posts.values(), key=lambda post: (post.created_at, post.platform_post_id))
        return Heard(tuple(in_order), progress, tuple(unreadable), is_complete)

    def _new_of(self, name: str) -> Fetch:
        return lambda bounds: self._listing(f"r/{name}/new", bounds)

    def stream(self, rules: Sequence[ListeningRule], stop: Stop) -> Iterator[Post]:
        """Reddit has no stream.

        Raises:
            Refused: always; ``capabilities`` say so beforehand.
        """
        raise Refused("invalid", "Reddit has no stream: poll with hear")

    def publish(self, parent_id: str, text: str) -> Sent:
        """Comment under a thing with exactly one request."""
        body = self._call("POST", "api/comment/", {"thing_id": parent_id, "text": text})
        failure = envelope_failure(body, self._clock)
        if failure is not None:
            raise failure
        try:
            comment = body["json"]["data"]["things"][0]["data"]
            return Sent(str(comment["name"]), from_epoch(float(comment["created_utc"])))
        except (KeyError, IndexError, TypeError, ValueError):
            pass
        raise OutcomeUnknown("the platform accepted the comment without naming its id")

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Search the account's comments, newest first, back to a time."""
        searched_until = self.now()
        after: str | None = None
        for _ in range(PAGES_OF_COMMENTS):
            bounds = {"limit": str(LONGEST_PAGE), **({"after": after} if after else {})}
            items, after = read_listing(self._listing(f"user/{self._username}/comments", bounds))
            for item in items:
                if item.get("parent_id") == parent_id and same_text(str(item.get("body")), text):
                    return ReadBack(sent_of(item), searched_until, True)
            if after is None or from_epoch(float(items[-1]["created_utc"])) < since:
                return ReadBack(None, searched_until, True)
        return ReadBack(None, searched_until, False)

    def search(self, query: str, since: datetime, most: int) -> Heard:
        """Submissions that match a query, newest first on Reddit, oldest first here."""
        return search_back(lambda bounds: self._listing("search", bounds), query, since, most)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Which things stand, a hundred to a request."""
        return look_up(lambda bounds: self._listing("api/info", bounds), ids)

    def thread(self, post: Post, most: int) -> tuple[Post, ...]:
        """What stands above a comment, up to its submission, one request each."""
        return climb(post, most, self.look_up)

    def counts(self, query: str) -> tuple[DayCount, ...]:
        """Reddit counts nothing.

        Raises:
            Refused: always; ``capabilities`` say so beforehand.
        """
        raise Refused("invalid", "Reddit does not count what a query matches")

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts by fullname, a hundred to a request; what Reddit leaves out is deleted."""
        found: dict[str, Metrics] = {}
        for start in range(0, len(ids), LONGEST_PAGE):
            wanted = ids[start : start + LONGEST_PAGE]
            items, _ = read_listing(self._listing("api/info", {"id": ",".join(wanted)}))
            found |= {str(item["name"]): read_metrics(item) for item in items}
            found |= {name: Metrics(None, 0, 0, 0, is_deleted=True) for name in wanted if name not in found}
        return found

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock()


def grant(credentials: RedditCredentials) -> dict[str, Any]:
    """How the account signs in: refresh token where there is one, else password."""
    if credentials.refresh_token:
        return {"refresh_token": credentials.refresh_token}
    return {"username": credentials.username, "password": credentials.password}


def sent_of(item: Mapping[str, Any]) -> Sent:
    """A comment of the account as what was sent."""
    return Sent(str(item["name"]), from_epoch(float(item["created_utc"])))


def same_text(shown: str, sent: str) -> bool:
    """Whether two texts are equal but for blanks at line ends, which Reddit trims."""
    return [line.rstrip() for line in shown.strip().splitlines()] == [
        line.rstrip() for line in sent.strip().splitlines()
    ]
