"""Which sentences of a transcript can stand alone as a quotation.

What belongs here: the signs of speech that is worth nothing outside its moment: greetings, sponsor lines,
questions, fragments, fillers, and openings that point back to a sentence the reader cannot see.
"""

import regex

from rejoinder.text.terms import index_terms
from rejoinder.text.word_lists import word_set

MIN_WORDS = 10
MAX_WORDS = 55
MIN_TERMS = 6
MAX_FILLER_SHARE = 0.12
REPEAT_WORDS = 4

QUESTION = regex.compile(r"[?？؟][\"')\]]*$|(?i)\b(?:right|okay|yeah|you know)\?")
ENDS_WHOLE = regex.compile(r"[.!…。][\"”')\]]*$")
CUT_OFF = regex.compile(r"(?:\.\.\.|…|--|—)[\"')\]]*$")
HOUSEKEEPING = regex.compile(
    r"(?i)\b(?:welcome (?:back )?to|welcome everyone|thanks? (?:you )?(?:so much )?(?:for|to)|thank you"
    r"|this (?:episode|show|podcast)|(?:this|our) (?:is )?(?:talk python|practical ai|metamuse)|show notes"
    r"|follow (?:me|us)|listeners?|my guest|our guest|co-?host|good ?bye|see you|nice to (?:meet|see)"
    r"|have a (?:great|good|nice)|(?:good|great) (?:question|point)|links? (?:to|in)|episode \d+"
    r"|i'm your host|on the show|next episode|before we|let me ask|tell us|audience|live chat"
    r"|apologi[sz]e|i'm sorry|podcast|episodes?|we (?:also |then )?(?:discuss|unpack|dive|cover)|you referenced"
    r"|your (?:original )?(?:question|point)|(?:this|that) article|keynote|conferences?)\b"
)
ADVERTISING = regex.compile(
    r"(?i)\b(?:sponsor\w*|brought to you|support (?:for|of) (?:this|the) (?:show|podcast|episode)|subscribe"
    r"|newsletter|coupon|promo code|sign up|free trial|for free|check (?:it|them|us) out|visit|patreon"
    r"|dot (?:com|org|io|fm)|\w+\.(?:com|org|io|fm|dev)|slash|(?:your|early bird) tickets?|get started"
    r"|(?:our|video|free|these) courses?|like we do|learn more at|team here|discount|pricing|podcast player"
    r"|level up|focused hours|without drowning|catalog of|catalogs of)\b"
)
FILLER = regex.compile(
    r"(?i)\b(?:um+|uh+|er+m?|hmm+|you know|i mean|kind of|sort of|kinda|sorta|basically|actually|literally"
    r"|whatever|and stuff|or something|or whatever|things? like that|blah)\b"
)
REPEATED = regex.compile(r"(?i)\b(\p{L}+)[,.]? \1\b|\b(\p{L}+ \p{L}+),? \2\b")
POINTS_BACK = regex.compile(
    r"(?i)^(?:(?:and|but|so|well|yeah|yes|no|or|then|also|because|plus|now|okay|ok|right|oh|like|i mean"
    r"|you know|i think|anyway|actually|basically|exactly|with|for|of|in|on)[, ]+)*"
    r"(?:it|its|it's|that|that's|this|these|those|they|they're|he|he's|she|she's|him|her|them|their|his"
    r"|there|one of (?:them|those|these)|the (?:other|second|third|latter|former|same|caveat|idea|notion"
    r"|question|thing|problem|answer|reason)|another one|both|such|which|who)\b"
)
FRAGMENT = regex.compile(
    r"(?i)^(?:(?:and|but|so|well|yeah)[, ]+)*(?:primarily|because|or|which|whereas|like|than|to|thank|apparently"
    r"|one,|two,|three,|first,|firstly|second,|secondly|third,|next,|for (?:me|us)|leave it|shout out"
    r"|if you contrast|i will say|i (?!think|believe|find|would|guess|feel)\p{L}+|my|we (?:got|had|were))(?=\W|$)"
)
OWN_BUSINESS = regex.compile(
    r"(?i)\b(?:i'm|i am|i was|i've|i had|i did|i went|i've been|i remember|i wrote|i made|my|me|our|us"
    r"|excited|I (?!think|believe|find|would say|guess|feel)\p{L}+|here|today|yesterday|earlier|just now"
    r"|you(?:'re|'ve|r)?|guys?|yeah)\b"
)
# A full stop before a small letter: the transcript broke a sentence in the wrong place.
TWO_IN_ONE = regex.compile(r"\p{Ll}{2}[.?!] \p{Ll}")
CONTEXT_WORDS = word_set(
    "it that this they them those these he she thing things stuff something someone there"
)


def is_quotable(sentence: str) -> bool:
    """Whether a quotation can begin with a sentence.

    >>> is_quotable("Garbage collection in CPython combines counting of references with a cycle detector.")
    True
    >>> is_quotable("Welcome to the show, it is great to have you back with us today.")
    False
    """
    if len(sentence.split()) < MIN_WORDS or len(set(index_terms(sentence))) < MIN_TERMS:
        return False
    return continues_well(sentence) and (sentence[0].isupper() or sentence[0].isdigit())


def continues_well(sentence: str) -> bool:
    """Whether a sentence can stand inside a quotation: whole, no question, greeting, stammer or advertisement.

    >>> continues_well("That makes it safe."), continues_well("Does that make sense?")
    (True, False)
    """
    if QUESTION.search(sentence) or CUT_OFF.search(sentence) or not ENDS_WHOLE.search(sentence):
        return False
    if is_advertising(sentence) or HOUSEKEEPING.search(sentence) or len(sentence.split()) > MAX_WORDS:
        return False
    if TWO_IN_ONE.search(sentence):
        return False
    return filler_share(sentence) <= MAX_FILLER_SHARE and not repeats_itself(sentence)


def is_advertising(sentence: str) -> bool:
    """Whether a sentence sells something; its neighbours then are likely to sell too.

    >>> is_advertising("Visit talkpython.fm/sentry and get started for free.")
    True
    """
    return ADVERTISING.search(sentence) is not None


def repeats_itself(sentence: str) -> bool:
    """Whether four words in a row occur twice: a stammer, or a transcript that doubled a line.

    >>> repeats_itself("It is a good time to be here, a good time to be here.")
    True
    """
    words = [word.strip(".,!?;:\"'") for word in sentence.lower().split()]
    runs = [tuple(words[i : i + REPEAT_WORDS]) for i in range(len(words) - REPEAT_WORDS + 1)]
    return len(set(runs)) < len(runs)


def filler_share(sentence: str) -> float:
    """Share of the sentence's words that fill or repeat, in [0, 1].

    >>> filler_share("You know, it's kind of fast.")
    0.667
    """
    words = len(sentence.split())
    filled = sum(len(found[0].split()) for found in FILLER.finditer(sentence))
    repeated = len(REPEATED.findall(sentence))
    return round(min(1.0, (filled + repeated) / words), 3) if words else 0.0


def standalone_quality(passage: str) -> float:
    """How well a quotable passage of one to three sentences is understood on its own, in [0, 1].

    An opening that points back costs most, then private talk, vague words and fillers; a very short or
    long passage costs a little.
    """
    words = passage.lower().split()
    vague = sum(word.strip(".,!;:'\"") in CONTEXT_WORDS for word in words) / max(1, len(words))
    cost = 0.5 * bool(POINTS_BACK.match(passage) or FRAGMENT.match(passage))
    cost += 0.16 * min(4, len(OWN_BUSINESS.findall(passage)))
    cost += 0.12 * max(0, words.count("like") - 1)
    cost += 1.2 * vague + 1.5 * filler_share(passage) + 0.1 * (len(words) < 15 or len(words) > 60)
    return max(0.0, 1.0 - cost)
