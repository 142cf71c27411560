"""Speech made plain: without what transcribers write into it and what speakers fill their pauses with.

What belongs here: annotations, speaker labels inside the text, fillers, false starts, spaces before
punctuation. Words that say something are never changed; the second at which they were said stays.
"""

import regex

# {vocalsound}, [laughter], (chuckles), <v 0>; a wiki link keeps the words that are read.
_WIKI_LINK = regex.compile(r"\[[^\[\]|]*\|([^\[\]|]*)\]")
_ANNOTATION = regex.compile(
    r"\{[^{}]{0,40}\}|\[[\p{L}\p{N}_ .,:'’-]{0,40}\]|</?[a-z][^<>]{0,40}>|♪+|>>+"
    r"|(?i)\((?:laugh\w*|chuckl\w*|music|applause|inaudible|unintelligible|crosstalk|sighs?|pause|silence)[^()]{0,20}\)"
)
# A label in capitals before a colon: the parser knew the cue's speaker, the transcriber wrote another's.
_LABEL = regex.compile(r"(?<!\S)\p{Lu}[\p{Lu}.'’-]+(?: \p{Lu}[\p{Lu}.'’-]*){0,3}:\s+(?=\S)")
_HESITATION = r"(?:u+h+|u+m+|uh-huh|h+m+|m+-?h+m+|er|erm|eh|ah)"
_FILLERS = regex.compile(
    rf"(?i)(?:,\s*)?\b(?:{_HESITATION}|you know|I mean)\b(?:(?=[,\s]*$)|\s*,|(?=\s*[.!?…]))"
    rf"|,\s*(?:like|kind of|sort of|right|basically|actually|literally|obviously)\s*(?=,)|(?<!\S){_HESITATION}(?!\S)"
)
_OPENER = regex.compile(
    r"(?i)^(?:(?:and|but|so|well|yeah|yes|yep|right|okay|ok|oh|now|anyway|basically|actually|obviously|like|again|honestly"
    r"|you know|I mean|I think(?: that)?|I guess|of course|essentially|I would say|I'd say)\b[,\s]+)+"
)
# "the {disfmarker} the": the same one to three words twice, but not "had had" and "that that".
_STUTTER = regex.compile(
    r"(?i)\b(?!(?:had|that|very|really|so|no)\b)((?:[\p{L}'’]+\s+){0,2}[\p{L}'’]+)(?:[\s,-]+\1\b)+"
)
_SPACED = regex.compile(r"\s+(?=[,.;:!?…](?:\s|$))|(?<=\p{L}) (?=['’](?:s|re|ve|ll|d|m|t)\b)")
_LOOSE_COMMAS = regex.compile(r"(?:,\s*)+(?=[,.!?])|^[\s,;–—-]+")


def plain(text: str, language: str = "en") -> str:
    """What is said without annotations, labels in capitals, fillers, stutters and words that only open.

    Args:
        text: one sentence or several as the transcript has them.
        language: an ISO 639-1 code; fillers and openers are known for English only.

    Returns:
        The text with single spaces; may be empty.

    >>> plain("And, you know, the {disfmarker} the scroll wheel , it's cheap [laughter] .")
    "The scroll wheel, it's cheap."
    >>> plain("MARK TWAIN: So it is fast, I mean, it never misses."), plain("Uh-huh .")
    ('It is fast, it never misses.', '')
    """
    told = _LABEL.sub("", without_annotations(text))
    if language == "en":
        told = _without_fillers(told)
    told = _SPACED.sub("", _STUTTER.sub(r"\1", told)).strip()
    if not any(map(str.isalnum, told)):
        return ""
    return told if told[:1] == text[:1] else told[:1].upper() + told[1:]


def _without_fillers(text: str) -> str:
    told = _FILLERS.sub(lambda filler: ", " if filler[0][0] + filler[0][-1] == ",," else " ", text)
    told = " ".join(_LOOSE_COMMAS.sub("", told).split())
    return _OPENER.sub("", told)


def without_annotations(text: str) -> str:
    """The text without what a transcriber noted about it.

    >>> without_annotations("Hello [laughter] from [glossary:IOS|the ship] {gap}")
    'Hello from the ship'
    """
    return " ".join(_ANNOTATION.sub(" ", _WIKI_LINK.sub(r"\1", text)).split())
