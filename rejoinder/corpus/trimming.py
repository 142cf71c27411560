"""Sentences of speech cut down to what they state: without lead-ins, and without asides hung on at the end.

What belongs here: what may go without changing what is claimed. A clause that limits the claim (but, if, unless,
when, because) always stays. The phrases are English.
"""

from collections.abc import Callable

import regex

_LEAD_INS = regex.compile(
    r"(?i)^(?:(?:yet|then|also|in fact|for example|for instance|of course|again|finally|because|plus"
    r"|instead|however"
    r"|first of all|first off|to be honest|to be fair|in other words|by the way|at the end of the day"
    r"|as (?:I|we|you) "
    r"(?:said|mentioned|know)|like (?:I|you|we) said|(?:you|we) (?:can|could) (?:say|argue)(?: that)?"
    r"|(?:it )?turns out(?: that)?"
    r"|(?:I|we)(?: would|['’]d| do| really| also)? (?:think|believe|say|guess|suppose|feel|argue|suspect"
    r"|find|know)"
    r"(?: like)?(?: that)?|I['’]m (?:pretty |quite )?sure(?: that)?|in my (?:opinion|view|experience)"
    r"|from my (?:perspective"
    r"|point of view)|the (?:reality|truth|fact|point|idea|thing|point here) is(?: that)?|to me|for me"
    r"|for us|what I mean is"
    r"|first|second|secondly|lastly|interestingly|surprisingly|essentially|clearly|frankly"
    r"|at the same time|hey)(?:,\s*|\s+)"
    r"(?!of\b|(?:is|are|was|were|to|it|that|this|about)\b))+"
)
_TAILS = regex.compile(
    r"(?i)(?:,\s*(?:right|okay|you know|I think|I guess|I believe|I would say|I['’]d say|of course"
    r"|for sure|as well|too|etc"
    r"|et cetera|actually|obviously|basically|essentially|in my opinion|if you will|if you like"
    r"|so to speak|or whatever"
    r"|or something(?: like that)?|and so (?:on|forth)|and (?:things|stuff) like that"
    r"|and all(?: of)? that|and whatnot"
    r"|by the way|at least|anyways?|honestly|increasingly|frankly|in a way|in some sense))+(?=[.!]$)"
)
# What follows the claim and says nothing of it, or goes on to something else.
_GOES_ON = regex.compile(
    r"(?i)(?:[,;]| [-–—])\s+(?:(?:and|so)\s+(?=(?:I|I['’]\p{L}+|we|we['’]\p{L}+|you|you['’]\p{L}+|that"
    r"|that['’]s|this|it"
    r"|it['’]s|there|there['’]s|they|they['’]\p{L}+|he|she|then|so|now|yeah|also|obviously|what|how|if"
    r"|even|in|to)\b)"
    r"|which(?=\s(?:I|we|you|was|is|means|in|makes)\b)|(?=(?:right|you know|I think|I mean|I guess"
    r"|that['’]s|it['’]s|you see"
    r"|there['’]s|like you|as you|as I|as we)\b))"
)
_FEWEST_WORDS = 8


def trimmed(text: str, standing: Callable[[str], float]) -> str:
    """The sentence as the shortest run of its own words that states the same, and can best be read alone.

    Args:
        text: one plain sentence.
        standing: how well a text can be read alone; a tail goes only where the rest can better.

    >>> trimmed("I think that ink keeps the pressure of a pen on paper, and so that's it.", lambda t: -len(t))
    'Ink keeps the pressure of a pen on paper.'
    """
    told = _LEAD_INS.sub("", text)
    told = _TAILS.sub("", told)
    heads = [told, *(told[: cut.start()].rstrip() + "." for cut in _GOES_ON.finditer(told))]
    long_enough = [head for head in heads if len(head.split()) >= _FEWEST_WORDS] or heads[:1]
    best = max(long_enough, key=lambda head: (standing(head), len(head)))
    return best[:1].upper() + best[1:]
