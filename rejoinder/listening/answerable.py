"""Who may be answered: the rules of a channel's policy, asked by triage, review and publishing alike.

What belongs here: the pure decision, from the policy, the post and what was replied before; each rule says who
makes it. `docs/policy.md` lists them with their sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rejoinder.listening.policy import OPERATOR_REQUIRED, ChannelPolicy, Way, is_summoned
from rejoinder.listening.post import Post
from rejoinder.listening.quiet_hours import quiet_until

Rule = Literal["opted_out", "own_post", "one_per_post", "conversation_cap", "author_window"]


@dataclass(frozen=True, slots=True)
class History:
    """What was replied before, the post itself left out where it only waits to be sent.

    is_opted_out: its author asked to be left alone, or is on the block list. is_answered: a reply to this very
    post went out, or may have. replied_at: when replies to this author went out, or will at the earliest, the
    newest first. in_conversation: replies in the post's conversation.
    """

    is_opted_out: bool = False
    is_answered: bool = False
    replied_at: Sequence[datetime] = ()
    in_conversation: int = 0


@dataclass(frozen=True, slots=True)
class Answerable:
    """The post may be answered.

    way: by API or by hand; why_by_hand says why not by API, empty for ``api``. not_before: when the quiet hours of
    now are over (UTC), None outside them; nothing is sent earlier.
    """

    way: Way
    why_by_hand: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """The post may not be answered: by which rule, a sentence for people, and until when (None: for good).

    The sentence names nobody: it is kept where a deletion of the post does not reach.
    """

    rule: Rule
    reason: str
    until: datetime | None = None


def may_answer(
    post: Post, policy: ChannelPolicy, account: str, history: History, now: datetime
) -> Answerable | Unanswerable:
    """Whether a post may be answered now, how, and from when.

    Args:
        post: what would be answered.
        policy: of the channel it was heard on.
        account: our handle, any case, with or without ``@``.
        history: what was replied before.
        now: aware, of our clock, as the times of history are.
    """
    refusal = _refused_for_good(post, policy, account, history) or _author_window(post, policy, history, now)
    if refusal:
        return refusal
    why = why_by_hand(post, policy, account)
    return Answerable("handoff" if why else "api", why, quiet_until(policy.quiet_hours, now))


def _refused_for_good(
    post: Post, policy: ChannelPolicy, account: str, history: History
) -> Unanswerable | None:
    if history.is_opted_out:
        return Unanswerable("opted_out", "its author asked to be left alone or is on the block list")
    if post.author and _handle(post.author) == _handle(account):
        return Unanswerable("own_post", "the post is our own account's")
    if history.is_answered:
        # X: at most one automated reply per interaction (docs.x.com developer-guidelines); chosen here for all.
        return Unanswerable("one_per_post", "the post was answered already")
    cap = policy.replies_per_conversation
    if cap is not None and history.in_conversation >= cap:
        return Unanswerable(
            "conversation_cap",
            f"{history.in_conversation} replies are in this conversation, at most {cap} may be",
        )
    return None


def _author_window(post: Post, policy: ChannelPolicy, history: History, now: datetime) -> Unanswerable | None:
    """The rule that one author hears from us at most so often; chosen here, no platform gives a number."""
    window, most = timedelta(seconds=policy.author_window_s), policy.replies_per_author_window
    # A reply that is only on its way counts with the time at which it may leave, which may lie ahead.
    recent = [at for at in history.replied_at if at > now - window] if window else []
    if post.author is None or len(recent) < most:
        return None
    until = sorted(recent, reverse=True)[most - 1] + window
    reason = (
        f"its author has {_replies(len(recent))} within {_length(policy.author_window_s)}: "
        f"the next one may go out at {until:%Y-%m-%d %H:%M} UTC"
    )
    return Unanswerable("author_window", reason, until)


def why_by_hand(post: Post, policy: ChannelPolicy, account: str) -> str:
    """Why an approved reply is handed to a person; empty where it is sent by API.

    An automatic reply to someone who did not call us is refused by X (docs.x.com, manage-tweets, since
    2026-02-23), and trying costs the account its standing. X also wants an automated account to carry a label and
    to name its operator (docs.x.com developer-guidelines).
    """
    if policy.reply_mode == "handoff":
        return "the channel's replies are all posted by hand"
    if policy.reply_mode == "summoned" and not is_summoned(post, account):
        return "the author did not call us, by mention or quote, so the platform takes no reply by API"
    if policy.operator == OPERATOR_REQUIRED:
        return (
            "the platform wants automated accounts to name their operator: "
            "`rejoinder policy set CHANNEL operator=NAME`"
        )
    return ""


def how_to_publish(post: Post, policy: ChannelPolicy, account: str) -> Way:
    """Whether an approved reply is sent by API or handed to a person."""
    return "handoff" if why_by_hand(post, policy, account) else "api"


def _handle(name: str) -> str:
    return name.strip().removeprefix("@").removeprefix("u/").lower()


def _replies(count: int) -> str:
    return "a reply" if count == 1 else f"{count} replies"


def _length(seconds: int) -> str:
    hours = seconds / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{seconds} seconds"
