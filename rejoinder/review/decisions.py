"""What a person decided about a draft: values that are valid once they exist.

Build them with `approve`, `reject` and `send_back`, which check what was typed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from rejoinder.errors import DecisionInvalid
from rejoinder.ids import sha256_hex

RejectReason = Literal[
    "off_topic", "wrong_evidence", "tone", "factual_error", "too_late", "duplicate", "other"
]
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)
REASON_LABELS: dict[RejectReason, str] = {
    "off_topic": "Off topic: the post is not about what we cover",
    "wrong_evidence": "Wrong evidence: the quote does not bear on the post",
    "tone": "Tone: we would not say it like this",
    "factual_error": "Factual error in the draft",
    "too_late": "Too late: the conversation has moved on",
    "duplicate": "Duplicate: we have already answered this",
    "other": "Other (say why)",
}

# U+0000 cannot be stored in PostgreSQL text and a lone surrogate cannot be encoded at all.
_UNSENDABLE = frozenset({0, *range(0xD800, 0xE000)})


@dataclass(frozen=True, slots=True)
class Approve:
    """Send exactly this text as one part: link included, not stripped."""

    text: str

    @property
    def text_sha256(self) -> str:
        """SHA-256 of the text, the form in which the publication gate compares it."""
        return sha256_hex(self.text)


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer this post; the note is required for the reason ``other``."""

    reason: RejectReason
    note: str = ""


@dataclass(frozen=True, slots=True)
class SendBack:
    """Draft again; the note tells the drafter what to change."""

    note: str


Decision: TypeAlias = Approve | Reject | SendBack


def approve(text: str, *, measure: Callable[[str], int], limit: int) -> Approve:
    """An approval of this text, word for word.

    Args:
        text: the text as it will be sent.
        measure: the platform's own length of a text, in its own units.
        limit: the greatest length the platform takes, in the same units.

    Raises:
        DecisionInvalid: the text is empty, too long, or holds a character that cannot be sent.

    >>> approve("See 12:04.", measure=len, limit=280)
    Approve(text='See 12:04.')
    >>> approve("four", measure=len, limit=3)
    Traceback (most recent call last):
    rejoinder.errors.DecisionInvalid: the text is 4 long and the platform takes 3: shorten it by 1
    """
    if not text.strip():
        raise DecisionInvalid("the text is empty: write a reply, or reject the post")
    position = next((i for i, char in enumerate(text) if ord(char) in _UNSENDABLE), None)
    if position is not None:
        raise DecisionInvalid(f"character {position + 1} of the text cannot be sent: delete it")
    length = measure(text)
    if length > limit:
        raise DecisionInvalid(
            f"the text is {length} long and the platform takes {limit}: shorten it by {length - limit}"
        )
    return Approve(text)


def approve_parts(
    texts: Sequence[str], *, measure: Callable[[str], int], limit: int, most: int
) -> tuple[Approve, ...]:
    """An approval of these parts, in this order, each word for word.

    Args:
        texts: the parts as they will be sent.
        measure: see `approve`.
        limit: of each part.
        most: how many parts the platform takes, >= 1.

    Raises:
        DecisionInvalid: one of them cannot be sent, there are none or too many, or two are the same.

    >>> approve_parts(["One.", "One."], measure=len, limit=280, most=5)
    Traceback (most recent call last):
    rejoinder.errors.DecisionInvalid: two parts say the same, which the platform would refuse: change one
    """
    if not texts:
        raise DecisionInvalid("there is no part: write a reply, or reject the post")
    if len(texts) > most:
        raise DecisionInvalid(f"the reply has {len(texts)} parts and the platform takes {most}: shorten it")
    if len(set(texts)) < len(texts):
        raise DecisionInvalid("two parts say the same, which the platform would refuse: change one")
    if len(texts) == 1:
        return (approve(texts[0], measure=measure, limit=limit),)
    return tuple(_approve_part(place, text, measure, limit) for place, text in enumerate(texts, 1))


def _approve_part(place: int, text: str, measure: Callable[[str], int], limit: int) -> Approve:
    try:
        return approve(text, measure=measure, limit=limit)
    except DecisionInvalid as error:
        raise DecisionInvalid(f"part {place}: {error}") from None


def reject(reason: str, note: str = "") -> Reject:
    """A rejection with a reason of the taxonomy.

    Raises:
        DecisionInvalid: the reason is unknown, or it is ``other`` without a note.

    >>> reject("tone", " too sharp ")
    Reject(reason='tone', note='too sharp')
    """
    if reason not in REJECT_REASONS:
        raise DecisionInvalid(f"unknown reason {reason!r}: use one of {', '.join(REJECT_REASONS)}")
    if reason == "other" and not note.strip():
        raise DecisionInvalid("the reason other needs a note: say in a few words why")
    return Reject(reason, note.strip())


def send_back(note: str) -> SendBack:
    """A request for another draft.

    Raises:
        DecisionInvalid: the note is empty, so the next draft could only repeat this one.

    >>> send_back("name the guest")
    SendBack(note='name the guest')
    """
    if not note.strip():
        raise DecisionInvalid("the note is empty: say what the next draft should do differently")
    return SendBack(note.strip())
