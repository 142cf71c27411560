"""What can be told of a text's language without a model: its scripts and its direction."""

import unicodedata
from collections import Counter

import regex

SCRIPTS = (
    "Latin",
    "Cyrillic",
    "Greek",
    "Arabic",
    "Hebrew",
    "Han",
    "Hiragana",
    "Katakana",
    "Hangul",
    "Devanagari",
    "Bengali",
    "Tamil",
    "Telugu",
    "Gujarati",
    "Thai",
    "Georgian",
    "Armenian",
    "Ethiopic",
)
_LETTER = regex.compile(r"\p{L}")
_RUN = regex.compile("|".join(rf"(?P<{script}>(?:(?=\p{{L}})\p{{{script}}})+)" for script in SCRIPTS))


def script_shares(text: str) -> dict[str, float]:
    """Share of the letters by script, largest first; empty for a text without letters.

    Scripts outside SCRIPTS come as ``Other``; the shares sum to 1.

    >>> script_shares("Привет, Bob")
    {'Cyrillic': 0.6666666666666666, 'Latin': 0.3333333333333333}
    """
    n_letters = len(_LETTER.findall(text))
    if not n_letters:
        return {}
    counts: Counter[str] = Counter()
    for run in _RUN.finditer(text):
        counts[str(run.lastgroup)] += len(run[0])
    other = n_letters - counts.total()
    counts.update({"Other": other} if other else {})
    return {script: count / n_letters for script, count in counts.most_common()}


def is_right_to_left(text: str) -> bool:
    """Whether most of the letters run from right to left.

    >>> is_right_to_left("שלום world עולם"), is_right_to_left("hello")
    (True, False)
    """
    directions = Counter(unicodedata.bidirectional(character) for character in text)
    return directions["R"] + directions["AL"] > directions["L"]
