"""The part of the X client that streams: rules, connections, blocks of posts; all with the app's token."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import requests
import tweepy

from rejoinder.ids import sha256_hex
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms import x_rules
from resources.platforms.credentials import XCredentials
from resources.platforms.failures import PlatformFailure, Refused, SpendStopped
from resources.platforms.port import Heard, Stop
from resources.platforms.streaming import RuleChanges
from resources.platforms.wire import Rebase
from resources.platforms.x_answers import x_failure
from resources.platforms.x_fields import HOST, POST_FIELDS
from resources.platforms.x_poll import search_key
from resources.platforms.x_stream import SILENCE_S, STREAM_PATH, Batch, LineReader, batches, read_items
from resources.platforms.x_toll import Toll

CONNECT_S = 5.0
# Posts that are asked for ahead of what comes in; as many more may come before an empty budget is seen.
ASKED_AHEAD = 20
BLOCK_POSTS, BLOCK_S = 500, 0.2


class XStreaming(ABC):
    """`BlockStream` for X, and the port's `stream` over it."""

    _credentials: XCredentials
    _base_url: str
    _toll: Toll
    _api: tweepy.Client
    # X's keep-alive comes every 20 s; a test may be less patient.
    silence_s: float = SILENCE_S

    @property
    @abstractmethod
    def account(self) -> str:
        """Handle of the account."""

    @property
    def stream_key(self) -> str:
        """The hash of the app's token."""
        return sha256_hex(f"x {self._base_url} {self._credentials.bearer_token}")

    def _ask(self, method: str, path: str, **named: Any) -> dict[str, Any]:
        try:
            return x_rules.read_answer(self._api.request(method, path, user_auth=False, **named))
        except tweepy.BadRequest as error:
            told = x_rules.told_of_rules(error.response)
            if told is not None:
                return told
            failure: PlatformFailure = x_failure(error, is_write=False)
        except (tweepy.TweepyException, requests.RequestException, ValueError) as error:
            failure = x_failure(error, is_write=False)
        raise failure

    def plan_rules(self, rules: Sequence[ListeningRule]) -> RuleChanges:
        """What `sync_rules` would change."""
        return x_rules.plan(self._ask, rules)[0]

    def sync_rules(self, rules: Sequence[ListeningRule]) -> RuleChanges:
        """Make X's rules equal to these by difference; they are live within some 20 s, without a new connection."""
        return x_rules.apply(self._ask, rules)

    def is_resuming(self, cursor: Mapping[str, str], rules: Sequence[ListeningRule]) -> bool:
        """Whether a search of one of these rules has pages left."""
        return any(f"{search_key(rule)}.until" in cursor for rule in rules)

    def raise_cursor(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], post_id: str
    ) -> dict[str, str]:
        """The cursor with ``since`` of these rules at this post, where it was not beyond."""
        places = [f"{search_key(rule)}.since" for rule in rules]
        return {**cursor, **{place: max(post_id, cursor.get(place, "0"), key=int) for place in places}}

    def own_connection(self) -> str | None:
        """Id of the token's connection; None where X lists none or more than one."""
        try:
            there = x_rules.open_connections(self._ask)
        except Refused:
            return None
        return str(there[0]["id"]) if len(there) == 1 and "id" in there[0] else None

    def clear_connection(self, connection_id: str) -> bool:
        """End a connection that X still believes in; whether it listed it."""
        if all(str(one.get("id")) != connection_id for one in x_rules.open_connections(self._ask)):
            return False
        x_rules.end_connection(self._ask, connection_id)
        return True

    def stream(self, rules: Sequence[ListeningRule], stop: Stop) -> Iterator[Post]:
        """Posts of one connection of the filtered stream until stop is set; the account's own are left out.

        Raises:
            Refused: X takes none of the rules.
        """
        changes = self.sync_rules(rules)
        if changes.refused and not (changes.added or changes.kept):
            raise x_rules.none_taken(changes.refused)
        for block in self.stream_blocks(stop, most=BLOCK_POSTS, within_s=BLOCK_S):
            yield from block.posts

    def stream_blocks(self, stop: Stop, *, most: int, within_s: float) -> Generator[Heard, None, None]:
        """One connection of the filtered stream in blocks; what was received is given and charged, come what may."""
        own = self.account.lower()
        self._toll.posts(ASKED_AHEAD)
        wire = Rebase(self._base_url)
        reader = LineReader(self._connect(wire), wire)
        try:
            for batch in batches(reader, stop, most=most, within_s=within_s):
                yield self._heard(batch, own)
                if batch.items:
                    self._toll.posts(max(ASKED_AHEAD, len(batch.items)))
        except SpendStopped:
            yield self._heard(reader.close(), own)
            raise
        finally:
            # Whoever reads this went away: X has charged for what came meanwhile.
            self._toll.note(reader.close().items)

    def _heard(self, batch: Batch, own: str) -> Heard:
        self._toll.note(batch.items)
        posts, unreadable = read_items(batch)
        return Heard(
            tuple(post for post in posts if (post.author or "").lower() != own), {}, tuple(unreadable)
        )

    def _connect(self, wire: Rebase) -> Callable[[], requests.Response]:
        session = requests.Session()
        session.mount(HOST, wire)
        headers = {
            "Authorization": f"Bearer {self._credentials.bearer_token}",
            "User-Agent": self._api.user_agent,
        }

        def connect() -> requests.Response:
            return session.get(
                HOST + STREAM_PATH,
                params=POST_FIELDS,
                headers=headers,
                stream=True,
                timeout=(CONNECT_S, self.silence_s),
            )

        return connect
