"""Reddit through praw: one account, requests sent as they are so that praw repeats none."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import praw

from rejoinder.listening.post import Platform, Post
from rejoinder.listening.reddit_search import reddit_query
from rejoinder.listening.rules import ListeningRule
from resources.platforms.clocks import Clock
from resources.platforms.conversations import climb
from resources.platforms.credentials import RedditCredentials, read_credentials, refuse_to_write
from resources.platforms.deadlines import bounded_session
from resources.platforms.failures import OutcomeUnknown, Refused, Unreachable
from resources.platforms.metering import FREE
from resources.platforms.port import (
    Action,
    Capability,
    DayCount,
    Heard,
    Meter,
    Metrics,
    ReadBack,
    Sent,
    Standing,
    Stop,
)
from resources.platforms.reddit_answers import envelope_failure, read_listing, read_metrics, read_posts
from resources.platforms.reddit_identity import grant, user_agent
from resources.platforms.reddit_inbox import as_comments
from resources.platforms.reddit_lookup import answers_under, look_up, search_back
from resources.platforms.reddit_pace import Pace
from resources.platforms.reddit_poll import Fetch, Listing, is_since, page_bounds, poll_listings
from resources.platforms.reddit_wire import OneShot, from_epoch, reddit_failure

log = logging.getLogger(__name__)
OAUTH_HOST = "https://oauth.reddit.com"
TOKEN_HOST = "https://www.reddit.com"  # noqa: S105 - an address
LONGEST_PAGE = 100
PAGES_OF_COMMENTS = 10  # Reddit lists at most 1,000
INBOX = "inbox"
ANSWERS = "inbox/answers"
EMPTY_LISTING: Mapping[str, Any] = {"data": {"children": [], "after": None}}


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
        {"hear", "search", "look_up", "thread", "publish", "metrics", "replies"}
    )

    def __init__(
        self, credentials: RedditCredentials, base_url: str | None, clock: Clock, meter: Meter = FREE
    ) -> None:
        self._credentials = credentials
        self._username = credentials.username
        self._clock = clock
        self._meter = meter
        self._has_inbox = True
        self._pace = Pace(clock)
        self._reddit = praw.Reddit(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            user_agent=user_agent(credentials),
            oauth_url=base_url or OAUTH_HOST,
            reddit_url=base_url or TOKEN_HOST,
            requestor_class=OneShot,
            requestor_kwargs={"session": bounded_session(), "pace": self._pace, "clock": clock},
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
            failure = reddit_failure(error, is_write=is_write)
        raise failure

    def _read(self, path: str, given: Mapping[str, str], action: Action = "post_read") -> Any:
        """One page of a listing, which the meter is asked about before and told of after."""
        self._meter.allow(action, given["id"].count(",") + 1 if "id" in given else LONGEST_PAGE)
        body = self._call("GET", path, given)
        try:
            items, _ = read_listing(body)
        except ValueError as error:
            raise Unreachable(str(error)) from None
        self._meter.count(action, [str(item.get("name")) for item in items])
        return body

    def hear(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], communities: Sequence[str]
    ) -> Heard:
        """Submissions and comments of the communities named and of those in the rules, and mentions of the account.

        Where no community is named, the rules are searched for all over Reddit; its search finds submissions.
        """
        named = [*communities, *(name for rule in rules for name in rule.communities)]
        found = {name.lower(): name for name in named}
        listings = [each for name in found.values() for each in self._of_community(name)]
        if not named:
            queries = ((rule.tag, reddit_query(rule.x_query)) for rule in rules)
            listings += [self._of_search(tag, query) for tag, query in queries if query]
        if not self._credentials.acts_for_account:
            return poll_listings(listings, cursor, self._username)
        listings.append(Listing(INBOX, "the mentions in the inbox", self._inbox("message/mentions", True)))
        listings.append(Listing(ANSWERS, "the answers in the inbox", self._inbox("message/comments", False)))
        return poll_listings(listings, cursor, self._username)

    def _of_community(self, name: str) -> tuple[Listing, Listing]:
        return (
            Listing(name.lower(), f"r/{name}", self._pages(f"r/{name}/new")),
            Listing(f"{name.lower()}/comments", f"r/{name}/comments", self._pages(f"r/{name}/comments")),
        )

    def _of_search(self, tag: str, query: str) -> Listing:
        pages = self._pages("search", q=query, sort="new", type="link")
        return Listing(f"search/{tag}", f"the search of rule {tag}", pages)

    def _pages(self, path: str, **fixed: str) -> Fetch:
        return lambda bounds: self._read(path, {**fixed, **bounds})

    def _inbox(self, path: str, is_mention: bool) -> Fetch:
        def fetch(bounds: Mapping[str, str]) -> Any:
            try:
                return as_comments(self._read(path, bounds), self._username if is_mention else None)
            except Refused as failure:
                if self._has_inbox:
                    log.warning("the inbox of u/%s cannot be read: %s", self._username, failure)
                self._has_inbox = False
            return EMPTY_LISTING

        return fetch

    def stream(self, rules: Sequence[ListeningRule], stop: Stop) -> Iterator[Post]:
        """Reddit has no stream.

        Raises:
            Refused: always; ``capabilities`` say so beforehand.
        """
        raise Refused("invalid", "Reddit has no stream: poll with hear")

    def publish(self, parent_id: str, text: str) -> Sent:
        """Comment under a thing with exactly one request; none at all with a credential for reading."""
        refuse_to_write(self._credentials)
        self._meter.allow("create")
        body = self._call("POST", "api/comment/", {"thing_id": parent_id, "text": text})
        failure = envelope_failure(body, self._clock)
        if failure is not None:
            raise failure
        try:
            sent = sent_of(body["json"]["data"]["things"][0]["data"])
        except (KeyError, IndexError, TypeError, ValueError):
            sent = None
        self._meter.count("create", [sent.platform_id if sent else f"under {parent_id}"])
        if sent is None:
            raise OutcomeUnknown("the platform accepted the comment without naming its id")
        return replace(sent, rate_windows=self._pace.windows())

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Search the account's comments, newest first, back to a time."""
        searched_until = self.now()
        after: str | None = None
        for number in range(PAGES_OF_COMMENTS):
            page = self._read(f"user/{self._username}/comments", page_bounds(after), "own_read")
            items, after = read_listing(page)
            for item in items:
                if item.get("parent_id") == parent_id and same_text(str(item.get("body")), text):
                    return ReadBack(sent_of(item), searched_until, True)
            if not items:  # after a comment that was removed meanwhile Reddit lists nothing
                return ReadBack(None, searched_until, is_complete=number == 0)
            if after is None or from_epoch(float(items[-1]["created_utc"])) < since:
                return ReadBack(None, searched_until, True)
        return ReadBack(None, searched_until, False)

    def search(self, query: str, since: datetime, most: int) -> Heard:
        """Submissions that match a query, newest first on Reddit, oldest first here."""
        return search_back(self._pages("search", type="link"), query, since, most)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Which things stand, a hundred to a request."""
        return look_up(self._pages("api/info"), ids)

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
        """Counts by fullname, a hundred to a request.

        What was deleted or removed comes along and says so. What Reddit leaves out is left out here too: it may
        stand in a community that the account may not see now.
        """
        found: dict[str, Metrics] = {}
        for start in range(0, len(ids), LONGEST_PAGE):
            wanted = ids[start : start + LONGEST_PAGE]
            items, _ = read_listing(self._read("api/info", {"id": ",".join(wanted)}, "own_read"))
            found |= {str(item["name"]): read_metrics(item) for item in items}
        return found

    def replies(self, parent_id: str, since: datetime, most: int) -> Heard:
        """Answers to a comment, out of the part of its thread that is under it."""
        items, _ = read_listing(self._read("api/info", {"id": parent_id}, "own_read"))
        if not items:
            return Heard((), {})
        path = f"comments/{str(items[0].get('link_id')).partition('_')[2]}/_/{parent_id.partition('_')[2]}"
        self._meter.allow("post_read", most)
        body = self._call("GET", path, {"depth": "2", "limit": str(most), "sort": "new"})
        found = answers_under(body, parent_id, self._username)
        self._meter.count("post_read", [str(item.get("name")) for item in found])
        posts, unreadable = read_posts([item for item in found if is_since(item, since.timestamp())][:most])
        return Heard(tuple(sorted(posts, key=lambda post: post.created_at)), {}, tuple(unreadable))

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock()


def sent_of(item: Mapping[str, Any]) -> Sent:
    """A comment of the account as what was sent."""
    return Sent(str(item["name"]), from_epoch(float(item["created_utc"])))


def same_text(shown: str, sent: str) -> bool:
    """Whether two texts are equal but for blanks at line ends, which Reddit trims."""
    return [line.rstrip() for line in shown.strip().splitlines()] == [
        line.rstrip() for line in sent.strip().splitlines()
    ]
