"""Links that hand an approved reply to a person, where the platform forbids an automatic one."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from rejoinder.errors import InputUnreadable
from rejoinder.listening.post import Post

_X_ID = re.compile(r"[0-9]{1,19}")
_REDDIT_FULLNAME = re.compile(r"(t[13])_([0-9a-z]{1,13})")


@dataclass(frozen=True, slots=True)
class Handoff:
    """What the operator needs: the page to open and the approved text, to the letter.

    is_prefilled says whether the page opens with the text in it; else it has to be copied. rest are the further
    parts of a thread, each to be posted in answer to the one before it.
    """

    url: str
    text: str
    is_prefilled: bool
    rest: tuple[str, ...] = ()


def compose(post: Post, text: str, *, rest: tuple[str, ...] = (), answers: str | None = None) -> Handoff:
    """The hand-off of an approved reply to this post.

    Args:
        post: that is answered.
        text: what is to be posted first.
        rest: what follows it, on X.
        answers: the id of the part of ours that text goes under, where one stands already; the post itself if None.

    Raises:
        InputUnreadable: the post's id, or on Reddit its thread, is missing or malformed.
    """
    if post.platform == "x":
        page = x_reply_url(answers or post.platform_post_id, text)
        return Handoff(page, text, is_prefilled=True, rest=rest)
    if post.platform != "reddit":
        return Handoff(_own_page(post), text, is_prefilled=False)
    return Handoff(reddit_permalink(post), text, is_prefilled=False)


def _own_page(post: Post) -> str:
    # A platform of another package tells the page of a post, or there is none to open.
    if post.url and urlsplit(post.url).scheme == "https":
        return post.url
    raise InputUnreadable(f"no https address for the post {post.platform_post_id!r}")


def x_reply_url(in_reply_to: str, text: str) -> str:
    """X's compose page as a reply to this post, with the text in it.

    Raises:
        InputUnreadable: the id is not 1 to 19 digits.

    >>> x_reply_url("20", "At 12:04 & later")
    'https://x.com/intent/post?in_reply_to=20&text=At%2012%3A04%20%26%20later'
    """
    if not _X_ID.fullmatch(in_reply_to):
        raise InputUnreadable(f"{in_reply_to!r} is not the id of a post on X")
    # %20, not +: the apps that open such links take a plus literally.
    return "https://x.com/intent/post?" + urlencode(
        {"in_reply_to": in_reply_to, "text": text}, quote_via=quote
    )


def reddit_permalink(post: Post) -> str:
    """The page of a Reddit post or comment; Reddit has no page that opens with a reply in it.

    Built from the fullnames: ``t3_`` is a submission, ``t1_`` a comment, whose submission is
    conversation_id. Where that is missing, the post's own address serves if it leads to this very
    comment: a submission's address often leads to what it links to, another thread included.

    Raises:
        InputUnreadable: neither gives an address.
    """
    own = _REDDIT_FULLNAME.fullmatch(post.platform_post_id)
    if own and own[1] == "t3":
        return f"https://www.reddit.com/comments/{own[2]}/"
    thread = _REDDIT_FULLNAME.fullmatch(post.conversation_id or "")
    if own and thread and thread[1] == "t3":
        return f"https://www.reddit.com/comments/{thread[2]}/_/{own[2]}/"
    if own and post.url and _leads_to(post.url, own[2]):
        return post.url
    raise InputUnreadable(
        f"no address for {post.platform_post_id!r}: it needs its submission's t3_ id or a reddit.com url"
    )


def _leads_to(url: str, comment_id: str) -> bool:
    # The address comes from outside and becomes a link to click: only https and Reddit's own host.
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    is_reddit = host == "reddit.com" or host.endswith(".reddit.com")
    return parts.scheme == "https" and is_reddit and comment_id in parts.path.split("/")
