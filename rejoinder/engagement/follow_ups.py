"""Answers to our replies: which of them open a case of their own, and which are only kept.

What belongs here: the verdict on one answer, by its words. Requests to be left alone are known to
`rejoinder.listening.stop_words`, which honours them wherever they stand.

An answer that asks something, or that calls us by name, wants an answer of ours. A plain remark does not: whoever
thanks, agrees or grumbles under a reply has not asked an account run with a machine's help to come back, and X wants
such accounts to answer who calls them. It is kept with the reply, and a person may take it up.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rejoinder.listening.post import Post
from rejoinder.listening.stop_words import asks_to_stop

FollowUpKind = Literal["stop", "summons", "question", "remark"]

# The handles that X puts before an answer by itself name whom it answers, not whom it calls.
_LEADING_HANDLES = re.compile(r"^(?:\s*[.]?@\w+[,:]?)+")
# A question mark of any script at the end of a sentence, closing quotes and brackets left out; the Greek one is a
# semicolon, which is a question only in Greek.
_ASKS = re.compile(r"[?\uff1f\u061f\u055e\u2047\u2048\u2049\u203d][\"'\u201d\u2019\u00bb)\]]*(?:\s|$)")
_GREEK = re.compile(r"[\u0370-\u03ff]")
_GREEK_ASKS = re.compile(r"[;\u037e](?:\s|$)")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What an answer to a reply of ours is, and why, in words for a person."""

    kind: FollowUpKind
    reason: str

    @property
    def is_worked_on(self) -> bool:
        """Whether it goes to triage as any post does."""
        return self.kind in ("summons", "question")


def judge_follow_up(post: Post, account: str) -> FollowUp:
    """What an answer to a reply of ours is.

    Args:
        post: by somebody else, an answer to a reply of ours.
        account: our handle, any case, with or without ``@``.

    >>> from datetime import UTC, datetime
    >>> say = lambda text: Post("x", "2", text, datetime(2026, 11, 1, tzinfo=UTC), mentions=("rejoinder",))
    >>> [judge_follow_up(say(f"@rejoinder {words}"), "rejoinder").kind for words in ("Stop", "Why?", "Thanks.")]
    ['stop', 'question', 'remark']
    """
    if words := asks_to_stop(post.text):
        return FollowUp("stop", f"asks to be left alone: {words}")
    said = _ADDRESS.sub(" ", _LEADING_HANDLES.sub("", post.text))
    if _names(said, account) or _was_called(post, account):
        return FollowUp("summons", "calls us by name under our reply")
    if _ASKS.search(said) or (_GREEK.search(said) and _GREEK_ASKS.search(said)):
        return FollowUp("question", "asks something under our reply")
    return FollowUp("remark", "a remark under our reply: it asks nothing and calls nobody")


def _names(text: str, account: str) -> bool:
    handle = re.escape(account.removeprefix("@"))
    return re.search(rf"(?i)(?<![\w@])@{handle}(?!\w)|(?<![\w/])/?u/{handle}(?![\w-])", text) is not None


def _was_called(post: Post, account: str) -> bool:
    # On X every answer names whom it answers, and to quote us is to call us; elsewhere nobody is named by himself.
    handle = account.removeprefix("@").lower()
    return post.quoted_author == handle if post.platform == "x" else handle in post.mentions
