"""X's filtered stream: rules brought in line by difference, posts handed over by a reading thread."""

import json
import logging
import queue
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tweepy

from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import AuthExpired, PlatformFailure, Refused, Unreachable
from resources.platforms.port import Stop
from resources.platforms.wire import Rebase
from resources.platforms.x_answers import read_posts

log = logging.getLogger(__name__)
WAKE_S = 0.2
HOPELESS = frozenset({401, 403})


class PostStream(tweepy.StreamingClient):  # type: ignore[misc]
    """Reads the stream in a thread of its own and queues posts and failures.

    tweepy reconnects by X's own schedule. Items are read here and not by tweepy, which stops the
    whole stream at a matching rule without a tag.
    """

    def __init__(self, bearer_token: str, base_url: str) -> None:
        super().__init__(bearer_token, return_type=dict, daemon=True)
        self.wire = Rebase(base_url)
        self.session.mount("https://api.twitter.com", self.wire)
        self.is_closed = False
        self.items: queue.Queue[Post | PlatformFailure] = queue.Queue()

    def on_connect(self) -> None:
        """End a connection that was made after closing began."""
        if self.is_closed:
            self.disconnect()

    def on_data(self, raw_data: bytes) -> None:
        """Queue the post of one line; anything else is noted and passed over."""
        try:
            body = json.loads(raw_data)
            posts, unreadable = read_posts(body if body.get("data") else {})
        except (ValueError, AttributeError):
            log.warning("X's stream sent a line that is not JSON")
            return
        for post in posts:
            self.items.put(post)
        for item in unreadable:
            log.warning("X's stream sent a post that cannot be read: %s", item.reason)
        if "errors" in body:
            titles = ", ".join(str(error.get("title")) for error in body["errors"])
            log.warning("X's stream reports: %s", titles)

    def on_request_error(self, status_code: int) -> None:
        """Give up where no waiting helps; tweepy waits and reconnects otherwise."""
        if status_code in HOPELESS:
            self.items.put(AuthExpired(f"X refused the stream with status {status_code}"))
            self.disconnect()

    def on_exception(self, exception: Exception) -> None:
        """Hand an unexpected end over to the reader."""
        self.items.put(Unreachable(f"X's stream ended ({type(exception).__name__})"))

    def on_closed(self, response: Any) -> None:
        """X closed the stream; tweepy reconnects."""
        log.info("X closed the stream")

    def close(self) -> None:
        """End the reading thread now, not at the next keep-alive."""
        self.is_closed = True
        self.disconnect()
        self.wire.interrupt()
        if self.thread is not None:
            self.thread.join(timeout=5)


def read_stream(stream: PostStream, fields: Mapping[str, str], stop: Stop) -> Iterator[Post]:
    """Posts of a stream until stop is set.

    Raises:
        PlatformFailure: the stream ended and will not come back.
    """
    thread = stream.filter(threaded=True, **{name.replace(".", "_"): value for name, value in fields.items()})
    try:
        while not stop.is_set():
            try:
                item = stream.items.get(timeout=WAKE_S)
            except queue.Empty:
                if thread.is_alive():
                    continue
                raise Unreachable("X's stream ended") from None
            if isinstance(item, PlatformFailure):
                raise item
            yield item
    finally:
        stream.close()


def sync_rules(stream: PostStream, rules: Sequence[ListeningRule]) -> None:
    """Make the stream's rules equal to these: what is new is added, what is gone deleted.

    A tag cannot be changed on X, so a rule with another tag is deleted and added again.

    Raises:
        Refused: X does not take a rule.
    """
    wanted = {(rule.x_query, rule.tag) for rule in rules}
    there = {(rule["value"], rule.get("tag")): rule["id"] for rule in stream.get_rules().get("data", [])}
    extra = [rule_id for rule, rule_id in there.items() if rule not in wanted]
    if extra:
        stream.delete_rules(extra)
    missing = sorted(wanted - there.keys())
    if not missing:
        return
    answer = stream.add_rules([tweepy.StreamRule(value, tag) for value, tag in missing])
    problems = [error for error in answer.get("errors", []) if error.get("title") != "DuplicateRule"]
    if problems:
        detail = "; ".join(f"{error.get('value')}: {error.get('details')}" for error in problems)
        raise Refused("invalid", f"X does not take a listening rule: {detail}")
