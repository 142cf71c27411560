"""Channel policy: what a platform allows, forbids and charges, and what follows for one post.

What belongs here: the rules of platforms as values, each with its source and the day it was read,
and what follows from them for prices and the way of a reply (who may be answered: `answerable`). Platforms
differ and change: `rejoinder policy set` replaces any field, and code asks the policy, never the platform's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.calendar import WeeklySlot
from rejoinder.listening.local_time import zone_named
from rejoinder.listening.post import Post
from rejoinder.listening.quiet_hours import QuietHours
from rejoinder.listening.rule_sources import (
    CHOSEN,
    READ,
    X_ONE,
    X_PRICES,
    X_RULES,
    X_STOP,
    X_SUMMONED,
    RuleSource,
)

ReplyMode = Literal["api", "summoned", "handoff"]
Way = Literal["api", "handoff"]
MissedSchedule = Literal["send", "review"]
# Whether a reply is drafted with a link to what it quotes; a person may always decide otherwise.
Links = Literal["never", "when_free", "when_worth", "always"]
# What platforms charge for: a resource that is read, or a deed.
PaidAction = Literal[
    "post_read",
    "user_read",
    "own_read",
    "counts_read",
    "create",
    "create_with_link",
    "create_summoned",
    "delete",
]

# In the place of an operator's name: nobody was named yet.
OPERATOR_REQUIRED = "required"
DAY_S = 86_400
HALF_DAY_S = 43_200


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What one channel may do, and what it costs.

    reply_mode: ``api`` replies by API; ``summoned`` by API only where the author called us, else by
    hand; ``handoff`` always by hand. may_train: its content may train a model. may_profile: its
    authors may be clustered. retention_s: how long a post may be kept here after its deletion on the
    platform, seconds; recheck_s: how often stored posts are looked up again, seconds. allow_links: a
    reply may carry a link; links: when it is drafted with one (``when_free``: where it costs nothing more;
    ``when_worth``: where it costs link_worth_usd more at most); tracked_links: over an address of our own that
    counts visits. label and operator: what the account must show about itself (None: nothing; operator
    ``required``: nobody was named yet).

    Prices in USD per resource that is read or per deed; spend caps in USD, None means no cap.

    author_window_s and replies_per_author_window: at most so many replies to one author within so many
    seconds (0: no such rule). replies_per_conversation: None means no cap. quiet_hours: nothing is sent
    then. thread_posts: how many parents of a post are fetched at most.

    min_interval_s and jitter_share: between two replies of the account pass so many seconds, more or less by a
    share of at most so much, drawn anew each time. slots: the calendar for replies that wait for a slot; zone: of the
    calendar, and of times that people type without one. missed_schedule: what becomes of a reply whose time passed
    by more than missed_after_s seconds before it could be tried: it is sent all the same, or goes back to ``review``.
    """

    name: str
    reply_mode: ReplyMode
    may_train: bool
    may_profile: bool
    retention_s: int
    allow_links: bool = True
    links: Links = "when_free"
    link_worth_usd: float = 0.0
    tracked_links: bool = False
    label: str | None = None
    operator: str | None = None
    price_per_create_usd: float = 0.0
    price_with_link_usd: float = 0.0
    price_summoned_usd: float = 0.0
    price_per_delete_usd: float = 0.0
    price_per_read_usd: float = 0.0
    price_per_user_read_usd: float = 0.0
    price_per_own_read_usd: float = 0.0
    price_per_counts_read_usd: float = 0.0
    spend_cap_usd_per_day: float | None = None
    spend_cap_usd_per_month: float | None = None
    author_window_s: int = DAY_S
    replies_per_author_window: int = 1
    replies_per_conversation: int | None = 2
    quiet_hours: QuietHours | None = None
    recheck_s: int = HALF_DAY_S
    thread_posts: int = 3
    min_interval_s: float = 0.0
    jitter_share: float = 0.5
    slots: tuple[WeeklySlot, ...] = ()
    zone: str = "UTC"
    missed_schedule: MissedSchedule = "review"
    missed_after_s: int = 3_600
    sources: tuple[RuleSource, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a negative price, cap or term, and caps that let nothing through."""
        amounts = (*self.prices().values(), self.spend_cap_usd_per_day or 0.0, self.link_worth_usd)
        terms = (self.retention_s, self.author_window_s, self.thread_posts)
        if min(*amounts, self.spend_cap_usd_per_month or 0.0, *terms) < 0:
            raise ConfigInvalid(f"channel policy {self.name!r}: prices, caps and terms cannot be negative")
        if self.replies_per_author_window < 1 or self.recheck_s < 1:
            raise ConfigInvalid(
                f"channel policy {self.name!r}: replies_per_author_window and recheck_s are at least 1"
            )
        zone_named(self.zone)
        if (
            not 0 <= self.min_interval_s <= DAY_S
            or not 0 <= self.jitter_share <= 1
            or self.missed_after_s < 0
        ):
            raise ConfigInvalid(
                f"channel policy {self.name!r}: min_interval_s is 0 to {DAY_S}, jitter_share 0 to 1, and "
                "missed_after_s is not negative"
            )
        if self.replies_per_conversation is not None and self.replies_per_conversation < 1:
            raise ConfigInvalid(f"channel policy {self.name!r}: replies_per_conversation is at least 1")

    def prices(self) -> Mapping[PaidAction, float]:
        """USD per resource or deed, by what is charged for."""
        return {
            "post_read": self.price_per_read_usd,
            "user_read": self.price_per_user_read_usd,
            "own_read": self.price_per_own_read_usd,
            "counts_read": self.price_per_counts_read_usd,
            "create": self.price_per_create_usd,
            "create_with_link": self.price_with_link_usd,
            "create_summoned": self.price_summoned_usd,
            "delete": self.price_per_delete_usd,
        }

    def price_usd(self, action: PaidAction) -> float:
        """USD for one resource that is read, or for one deed.

        >>> default_policy("x/self_serve").price_usd("user_read")
        0.01
        """
        return self.prices()[action]


def is_summoned(post: Post, account: str) -> bool:
    """Whether the author mentioned the account or, on X, quoted one of its posts.

    Only X makes a reply depend on it; elsewhere it says who is answered first.

    Args:
        post: the post to answer; its handles are lower case without ``@``.
        account: our handle, any case, with or without ``@``.
    """
    handle = account.removeprefix("@").lower()
    return handle in post.mentions or (post.platform == "x" and post.quoted_author == handle)


def reply_action(*, has_link: bool, is_summoned: bool = False) -> PaidAction:
    """What sending a reply by API is charged as; a link makes the dearer of the two, also where we were called.

    >>> reply_action(has_link=False, is_summoned=True)
    'create_summoned'
    """
    if has_link:
        return "create_with_link"
    return "create_summoned" if is_summoned else "create"


def reply_price_usd(policy: ChannelPolicy, *, has_link: bool, is_summoned: bool = False) -> float:
    """Price of sending one reply by API; a handed-off reply costs nothing."""
    return policy.price_usd(reply_action(has_link=has_link, is_summoned=is_summoned))


def default_policy(name: str) -> ChannelPolicy:
    """The policy shipped under this name.

    Raises:
        ConfigInvalid: no such name; the message lists those there are.

    >>> default_policy("x/self_serve").reply_mode
    'summoned'
    """
    if name not in DEFAULT_POLICIES:
        raise ConfigInvalid(f"no channel policy {name!r}; there are {', '.join(sorted(DEFAULT_POLICIES))}")
    return DEFAULT_POLICIES[name]


X_SELF_SERVE = ChannelPolicy(
    name="x/self_serve",
    reply_mode="summoned",
    may_train=False,
    may_profile=False,
    retention_s=DAY_S,
    label="Automated",
    operator=OPERATOR_REQUIRED,
    price_per_create_usd=0.015,
    price_with_link_usd=0.20,
    price_summoned_usd=0.010,
    price_per_delete_usd=0.010,
    price_per_read_usd=0.005,
    price_per_user_read_usd=0.010,
    price_per_own_read_usd=0.001,
    price_per_counts_read_usd=0.005,
    spend_cap_usd_per_day=10.0,
    min_interval_s=60.0,
    sources=(*X_RULES, X_ONE, X_STOP, X_SUMMONED, *X_PRICES, *CHOSEN),
)
X_ENTERPRISE = replace(
    X_SELF_SERVE,
    name="x/enterprise",
    reply_mode="api",
    sources=(
        *X_RULES,
        X_ONE,
        X_STOP,
        RuleSource("exempt from the summoned rule", "docs.x.com changelog, 2026-02-23", READ),
        RuleSource("prices as on pay-per-use until the contract's are configured", "assumed", READ),
        *CHOSEN,
    ),
)
REDDIT_APPROVED = ChannelPolicy(
    name="reddit/approved_app",
    reply_mode="api",
    may_train=False,
    may_profile=False,
    retention_s=DAY_S,
    label="App",
    min_interval_s=120.0,
    sources=(
        RuleSource("API access only after approval", "support.reddithelp.com article 42728983564564", READ),
        RuleSource("automated accounts carry the App label", "reddit.com r/redditdev 1s3f3ag", READ),
        RuleSource("no training and no profiles without permission; the strict reading", "assumed", READ),
        RuleSource("deletions within a day, as on X, the stricter of the two", "chosen here", READ),
        *CHOSEN,
    ),
)


def _sandbox_twin(policy: ChannelPolicy) -> ChannelPolicy:
    # Nobody's content: the operator's own files on the operator's own machine, at no price.
    own = RuleSource("local rehearsal on the operator's own files", "this project", READ)
    return replace(
        policy,
        name=f"sandbox/{policy.name}",
        operator=policy.operator and "rehearsal",
        may_train=True,
        may_profile=True,
        price_per_create_usd=0.0,
        price_with_link_usd=0.0,
        price_summoned_usd=0.0,
        price_per_delete_usd=0.0,
        price_per_read_usd=0.0,
        price_per_user_read_usd=0.0,
        price_per_own_read_usd=0.0,
        price_per_counts_read_usd=0.0,
        spend_cap_usd_per_day=None,
        author_window_s=0,
        replies_per_conversation=None,
        min_interval_s=0.0,
        sources=(own, *policy.sources),
    )


_PLATFORMS = (X_SELF_SERVE, X_ENTERPRISE, REDDIT_APPROVED)
DEFAULT_POLICIES = {p.name: p for q in _PLATFORMS for p in (q, _sandbox_twin(q))}
