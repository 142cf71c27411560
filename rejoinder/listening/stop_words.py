"""Whether somebody asks to be left alone: short, plain requests in several languages.

What belongs here: the words and how a text is compared with them. X wants such requests obeyed (docs.x.com
developer-guidelines, automation rules); Rejoinder does so on every platform.

A text counts only if nothing but the request stands in it, its politeness and its handles left out. What is taken for
a request wrongly costs one author's answers; what is missed breaks the rule. So short forms that may mean something
else ("stop") count where they stand alone, and a longer text that only holds the word does not: a person puts its
author on the block list.
"""

import re
import unicodedata
from collections.abc import Container
from functools import lru_cache

from rejoinder.listening.post import Post

# By language: what people write to be left alone, in lower case, without accents and punctuation.
REQUESTS: dict[str, tuple[str, ...]] = {
    "en": (
        "stop", "stop it", "stop this", "stop now", "stop bot", "stop replying", "stop replying to me",
        "stop responding", "stop responding to me", "stop answering me", "stop messaging me", "stop mentioning me",
        "stop tagging me", "stop spamming", "stop spamming me", "stop contacting me", "stop bothering me",
        "do not reply", "dont reply", "do not reply to me", "dont reply to me", "do not contact me",
        "dont contact me", "do not answer me", "dont answer me", "do not tag me", "dont tag me",
        "do not mention me", "dont mention me", "never reply to me", "never reply to me again",
        "leave me alone", "unsubscribe", "unsubscribe me", "opt out", "optout", "opt me out", "go away",
        "i want to opt out", "i opt out", "remove me", "no more replies", "no more bots", "no bots",
    ),
    "de": (
        "stopp", "hor auf", "aufhoren", "hor auf mir zu antworten", "antworte mir nicht",
        "antworte mir nicht mehr", "nicht antworten", "nicht mehr antworten", "lass mich in ruhe",
        "lasst mich in ruhe", "schreib mir nicht", "schreib mir nicht mehr", "abmelden", "abbestellen",
        "keine antworten mehr", "geh weg",
    ),
    "fr": (
        "arrete", "arretez", "arrete de me repondre", "arretez de me repondre", "ne me reponds pas",
        "ne me repondez pas", "ne me reponds plus", "ne me repondez plus", "laisse moi tranquille",
        "laissez moi tranquille", "desabonner", "me desabonner", "desinscription",
    ),
    "es": (
        "para", "para ya", "basta", "basta ya", "no me respondas", "no me respondas mas", "no me contestes",
        "no me contestes mas", "deja de responderme", "deja de contestarme", "dejame en paz",
        "dejenme en paz", "no me escribas", "no me escribas mas", "darme de baja", "cancelar suscripcion",
    ),
    "pt": (
        "pare", "para com isso", "pare de me responder", "nao me responda", "nao me responda mais",
        "nao responda", "me deixe em paz", "me deixa em paz", "deixe me em paz", "deixa me em paz",
        "cancelar inscricao", "descadastrar",
    ),
    "it": (
        "smettila", "smetti", "basta cosi", "non rispondermi", "non rispondermi piu", "smetti di rispondermi",
        "smettila di rispondermi", "lasciami in pace", "lasciatemi in pace", "non scrivermi",
        "non scrivermi piu", "disiscrivimi", "cancellami",
    ),
    "nl": (
        "hou op", "stop ermee", "reageer niet", "reageer niet meer", "reageer niet meer op mij",
        "niet reageren", "laat me met rust", "laat mij met rust", "uitschrijven", "afmelden",
    ),
    "pl": ("przestan", "nie odpowiadaj", "nie odpowiadaj mi", "zostaw mnie", "zostaw mnie w spokoju"),
    "sv": ("sluta", "sluta svara", "sluta svara mig", "svara mig inte", "lamna mig ifred", "lat mig vara"),
    "tr": ("dur", "bana cevap verme", "cevap verme", "beni rahat birak"),
    "ru": (
        "стоп", "хватит", "отстань", "отстаньте", "не отвечай", "не отвечай мне", "не отвечаите",
        "не отвечаите мне", "не пиши мне", "не пишите мне", "оставь меня в покое", "оставьте меня в покое",
        "отпишись", "отписаться",
    ),
    "uk": ("досить", "не відповідаи", "не відповідаи мені", "дай мені спокіи", "відчепись"),
    "ja": ("やめて", "やめてください", "返信しないで", "返信しないてください", "返信しないでください", "停止"),
    "zh": ("停止", "停", "别回复我", "不要回复我", "不要回复", "请停止", "別回覆我", "不要回覆我"),
    "ko": ("그만", "그만해", "그만하세요", "답장하지 마", "답장하지 마세요"),
    "ar": ("توقف", "لا ترد علي", "اتركني وشاني"),
    "hi": ("रुको", "मुझे जवाब मत दो"),
}  # fmt: skip
# Characters; a longer text is no short request.
LONGEST = 300
_POLITE = (
    "please", "pls", "plz", "thanks", "thank you", "thx", "just", "ok", "okay", "hey", "hi", "bot", "now",
    "bitte", "danke", "s il vous plait", "s il te plait", "stp", "svp", "merci", "por favor", "gracias",
    "obrigado", "obrigada", "per favore", "grazie", "alsjeblieft", "alstublieft", "aub", "dank je", "prosze",
    "tack", "snalla", "lutfen", "пожалуиста", "спасибо", "будь ласка",
)  # fmt: skip

_ADDRESSES = re.compile(r"https?://\S+|(?<![\w@])@\w+|(?<!\w)/?u/[\w-]+", re.IGNORECASE)
_APOSTROPHES = re.compile(r"(?<=n)['\u2019\u02bc](?=t\b)", re.IGNORECASE)
_OTHERS = re.compile(r"[^\w]+|_+")


def plain_words(text: str) -> str:
    """A text as it is compared: without addresses, handles, case, accents and punctuation.

    >>> plain_words("@rejoinder  Arrête, s'il te plaît!! https://example.org")
    'arrete s il te plait'
    """
    bare = _APOSTROPHES.sub("", _ADDRESSES.sub(" ", text))
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", bare).casefold())
    kept = "".join(letter for letter in letters if not _is_accent(letter))
    return _OTHERS.sub(" ", unicodedata.normalize("NFC", kept)).strip()


def _is_accent(letter: str) -> bool:
    # Of Latin, Greek and Cyrillic letters; in other scripts such marks are letters of their own.
    return "\u0300" <= letter <= "\u036f"


_KNOWN = frozenset(plain_words(request) for requests in REQUESTS.values() for request in requests)
_COURTESY = tuple(sorted(map(plain_words, _POLITE), key=len, reverse=True))


def asks_to_stop(text: str) -> str | None:
    """The request in a text that asks to be left alone and says nothing else; None if it is none.

    Whether it was said to us is for the caller to know: `is_addressed`.

    >>> asks_to_stop("@rejoinder STOP!")
    'stop'
    >>> asks_to_stop("Please don't reply to me.")
    'dont reply to me'
    >>> asks_to_stop("Stop telling people that heat pumps work")
    """
    words = plain_words(text) if len(text) <= LONGEST else ""
    while words and words not in _KNOWN:
        shorter = _without_courtesy(words)
        if shorter == words:
            return None
        words = shorter
    return words or None


def is_addressed(post: Post, account: str, own_replies: Container[str]) -> bool:
    """Whether a post is said to our account: it names it, or answers a reply of ours.

    Args:
        post: by somebody else.
        account: our handle, any case, with or without ``@``.
        own_replies: the platform's ids of our replies.
    """
    handle = account.removeprefix("@").lower()
    is_named = _naming(handle).search(post.text) is not None
    return handle in post.mentions or post.parent_id in own_replies or is_named


@lru_cache(maxsize=64)
def _naming(handle: str) -> re.Pattern[str]:
    """An account's name as Reddit writes it in a text."""
    return re.compile(rf"(?i)(?<![\w/])/?u/{re.escape(handle)}(?![\w-])")


def _without_courtesy(words: str) -> str:
    """The words without one politeness at either end."""
    for courtesy in _COURTESY:
        if words == courtesy:
            return ""
        if words.startswith(f"{courtesy} "):
            return words[len(courtesy) + 1 :]
        if words.endswith(f" {courtesy}"):
            return words[: -len(courtesy) - 1]
    return words
