"""X through tweepy: one account, reads with the app's token, writes with the account's."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import requests
import tweepy

from rejoinder.ids import sha256_hex
from rejoinder.listening.post import Platform, Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.clocks import Clock
from resources.platforms.conversations import climb
from resources.platforms.credentials import XCredentials, read_credentials, refuse_to_write
from resources.platforms.failures import OutcomeUnknown, RateLimited, Refused
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
)
from resources.platforms.wire import Rebase
from resources.platforms.x_answers import read_json, read_metrics, read_time, read_windows, x_failure
from resources.platforms.x_fields import BARE_FIELDS, HOST, POST_FIELDS
from resources.platforms.x_lookup import look_up, read_counts, search_back
from resources.platforms.x_own import answers, same_text
from resources.platforms.x_poll import (
    SEARCH_LAG,
    Collected,
    Fetch,
    begin_at,
    in_words,
    poll_search,
    refused_among,
    search_key,
)
from resources.platforms.x_streaming import XStreaming
from resources.platforms.x_toll import Toll

LONGEST_PAGE = 100
PAGES_PER_SEARCH = 10
# X tells these of the last 30 days to the author alone.
OWN_METRICS = "non_public_metrics"
SEARCH_REACH = timedelta(days=7) - timedelta(minutes=10)
PAGES_OF_TIMELINE = 8  # X lists at most 3,200 posts; a reply in doubt is among the newest


def open_x(
    credentials: Mapping[str, str], *, base_url: str | None, clock: Clock, meter: Meter = FREE
) -> "XClient":
    """A client for X; nothing is sent yet."""
    return XClient(read_credentials(XCredentials, credentials), base_url or HOST, clock, meter)


class XClient(XStreaming):
    """`PlatformClient` for X; its filtered stream is in `XStreaming`."""

    platform: Platform = "x"
    text_limit = 280
    capabilities: frozenset[Capability] = frozenset(get_args(Capability))

    def __init__(self, credentials: XCredentials, base_url: str, clock: Clock, meter: Meter = FREE) -> None:
        self._credentials = credentials
        self._base_url = base_url
        self._clock = clock
        self._toll = Toll(meter)
        self._me: dict[str, str] | None = None
        # Recent search shows a post some time after it was written; it is asked for again until then.
        self.search_lag = SEARCH_LAG
        # How far back a search that never ran begins; None: as far as X's search reaches.
        self.first_look_back: timedelta | None = None
        self._api = tweepy.Client(
            credentials.bearer_token,
            credentials.consumer_key,
            credentials.consumer_secret,
            credentials.access_token,
            credentials.access_token_secret,
            return_type=requests.Response,
        )
        self._api.session.mount(HOST, Rebase(base_url))

    @property
    def account(self) -> str:
        """Handle of the account; asked once."""
        return self._identity()["username"]

    def _identity(self) -> dict[str, str]:
        if self._me is None and not self._credentials.acts_for_account:
            self._me = {"id": self._credentials.user_id, "username": self._credentials.username}
        if self._me is None:
            self._toll.meter.allow("own_read")
            self._me = self._read(self._api.get_me)["data"]
            self._toll.note_own([str(self._me["id"])])
        return self._me

    def _call(self, send: Callable[[], requests.Response], *, is_write: bool) -> requests.Response:
        # The failure is raised outside the except block, so that no exception with a request in it
        # (its headers carry the token) travels along as context.
        try:
            return send()
        except Exception as error:
            failure = x_failure(error, is_write=is_write)
        raise failure

    def _read(self, send: Callable[[], requests.Response]) -> dict[str, Any]:
        response = self._call(send, is_write=False)
        try:
            return read_json(response)
        except ValueError as error:
            failure = x_failure(error, is_write=False)
        raise failure

    def hear(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], communities: Sequence[str]
    ) -> Heard:
        """Recent search for every rule, and the account's mentions; X has no communities here."""
        progress, own, now = dict(cursor), self.account, self.now()
        found = Collected(settled_at=now - self.search_lag)
        searches = {search_key(rule): self._search(rule.x_query) for rule in rules}
        for key, fetch in {"mentions": self._mentions, **searches}.items():
            if self.first_look_back is not None:
                begin_at(key, progress, now - self.first_look_back)
            try:
                poll_search(key, fetch, progress, found, own=own, max_pages=PAGES_PER_SEARCH)
            except RateLimited:
                if not found.posts:
                    raise
                found.is_complete = False
                break
        posts = sorted(found.posts.values(), key=lambda post: (post.created_at, int(post.platform_post_id)))
        told = in_words(found.gaps, rules), refused_among(rules, found.refused)
        return Heard(tuple(posts), progress, tuple(found.unreadable), found.is_complete, *told)

    def _search(self, query: str) -> Fetch:
        return self._charged(lambda wanted: self._api.search_recent_tweets(query, **wanted))

    def _mentions(self, bounds: Mapping[str, str]) -> dict[str, Any]:
        user_id = self._identity()["id"]
        # The same token has another name there.
        named = {{"next_token": "pagination_token"}.get(name, name): value for name, value in bounds.items()}
        return self._charged(lambda wanted: self._api.get_users_mentions(user_id, **wanted))(named)

    def _charged(
        self, send: Callable[[Mapping[str, str]], requests.Response]
    ) -> Callable[..., dict[str, Any]]:
        """A page of others' posts, asked for as large as the budget allows."""

        def fetch(bounds: Mapping[str, str]) -> dict[str, Any]:
            size = self._toll.page(int(bounds["max_results"]))
            wanted = parameters({**POST_FIELDS, **bounds, "max_results": str(size)})
            body = self._read(lambda: send(wanted))
            self._toll.note_page(body)
            return body

        return fetch

    def publish(self, parent_id: str, text: str) -> Sent:
        """Reply to a post with exactly one request; none at all with a credential for reading."""
        refuse_to_write(self._credentials)
        response = self._call(
            lambda: self._api.create_tweet(text=text, in_reply_to_tweet_id=parent_id), is_write=True
        )
        try:
            post_id = str(read_json(response)["data"]["id"])
        except (ValueError, KeyError, TypeError):
            post_id = ""
        if not post_id.isdecimal():
            raise OutcomeUnknown("the platform accepted the reply without naming its id")
        return Sent(post_id, self._time_of(response), read_windows(response.headers))

    def _time_of(self, response: requests.Response) -> datetime:
        try:
            return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return self._clock()

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Search the account's timeline, newest first, back to a time."""
        searched_until, until_id = self.now(), None
        for _ in range(PAGES_OF_TIMELINE):
            body = self._timeline(until_id)
            items = body.get("data") or []
            for item in items:
                if answers(item, parent_id) and same_text(item["text"], text):
                    return ReadBack(Sent(item["id"], read_time(item["created_at"])), searched_until, True)
            meta = body.get("meta") or {}
            if not meta.get("next_token") or read_time(items[-1]["created_at"]) < since:
                return ReadBack(None, searched_until, True)
            until_id = meta["oldest_id"]
        return ReadBack(None, searched_until, False)

    def _timeline(self, until_id: str | None) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "max_results": LONGEST_PAGE,
            "tweet_fields": "created_at,referenced_tweets",
            "user_auth": True,
        }
        if until_id is not None:
            wanted["until_id"] = until_id
        self._toll.meter.allow("own_read", LONGEST_PAGE)
        body = self._read(lambda: self._api.get_users_tweets(self._identity()["id"], **wanted))
        self._toll.note_own(str(item["id"]) for item in body.get("data") or [])
        return body

    def search(self, query: str, since: datetime, most: int) -> Heard:
        """Recent search, newest posts first on X, oldest first here."""
        return search_back(self._search(query), since, most, own=self.account)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Which posts stand, a hundred to a request; without their authors, who cost twice as much as posts."""
        return look_up(self._bare_posts, self._posts, ids)

    def _bare_posts(self, ids: Sequence[str]) -> dict[str, Any]:
        self._toll.meter.allow("post_read", len(ids))
        return self._posts_with(BARE_FIELDS, ids)

    def _posts(self, ids: Sequence[str]) -> dict[str, Any]:
        self._toll.posts(len(ids))
        return self._posts_with(POST_FIELDS, ids)

    def _posts_with(self, fields: Mapping[str, str], ids: Sequence[str]) -> dict[str, Any]:
        wanted = parameters(fields)
        body = self._read(lambda: self._api.get_tweets(list(ids), **wanted))
        self._toll.note_page(body)
        return body

    def thread(self, post: Post, most: int) -> tuple[Post, ...]:
        """The posts above, one request each: X tells of a post only the one that it answers."""
        return climb(post, most, lambda ids: look_up(self._posts, self._posts, ids))

    def counts(self, query: str) -> tuple[DayCount, ...]:
        """Posts per day of the last seven."""
        self._toll.meter.allow("counts_read")
        body = self._read(lambda: self._api.get_recent_tweets_count(query, granularity="day"))
        self._toll.meter.count("counts_read", [f"{sha256_hex(query)[:16]}@{self.now():%H:%M:%S.%f}"])
        return read_counts(body)

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts by id, a hundred to a request."""
        found: dict[str, Metrics] = {}
        for start in range(0, len(ids), LONGEST_PAGE):
            found |= self._metrics_of(ids[start : start + LONGEST_PAGE])
        return found

    def _public_metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """What anybody may read, at the price of others' posts."""
        self._toll.meter.allow("post_read", len(ids))
        body = self._read(lambda: self._api.get_tweets(list(ids), tweet_fields="public_metrics"))
        self._toll.note_page(body)
        return read_metrics(body)

    def _metrics_of(self, ids: Sequence[str]) -> dict[str, Metrics]:
        if not self._credentials.acts_for_account:
            return self._public_metrics(ids)
        self._toll.meter.allow("own_read", len(ids))
        try:
            found = self._counted(ids, f"public_metrics,{OWN_METRICS}")
        except Refused:  # also where one post is too old for what only its author is told
            return self._counted(ids, "public_metrics")
        unsaid = [one for one in ids if one not in found]
        return {**self._counted(unsaid, "public_metrics"), **found} if unsaid else found

    def _counted(self, ids: Sequence[str], fields: str) -> dict[str, Metrics]:
        body = self._read(lambda: self._api.get_tweets(list(ids), tweet_fields=fields, user_auth=True))
        self._toll.note_own(str(item["id"]) for item in body.get("data") or [])
        return read_metrics(body)

    def replies(self, parent_id: str, since: datetime, most: int) -> Heard:
        """Answers to a post by recent search, which reaches back seven days."""
        earliest = max(since, self.now() - SEARCH_REACH)
        query = f"in_reply_to_tweet_id:{parent_id}"
        return search_back(self._search(query), earliest, most, own=self.account)

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock()


def parameters(named: Mapping[str, str]) -> dict[str, str]:
    """Parameters as tweepy wants them, with underscores."""
    return {name.replace(".", "_"): value for name, value in named.items()}
