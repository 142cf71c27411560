"""The language that a source is in, told from its words."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import regex

from rejoinder.corpus.values import Cue
from rejoinder.text.language_codes import language_code

# Probabilities of py3langid are calibrated over lengths; below this one its first choice is mostly wrong.
_MIN_PROBABILITY = 0.5
_MIN_LETTERS = 20
_SAMPLE_CHARS = 6000
_LETTER = regex.compile(r"\p{L}")


def detect_language(cues: Iterable[Cue]) -> str | None:
    """The ISO 639-1 code of the language that most of the cues are in; None where it can't be told.

    Source: Lui & Baldwin, "langid.py: an off-the-shelf language identification tool", ACL 2012.
    """
    sample = _sample(cues)
    if len(_LETTER.findall(sample)) < _MIN_LETTERS:
        return None
    language, probability = _identifier().classify(sample)
    return language_code(str(language)) if probability >= _MIN_PROBABILITY else None


def _sample(cues: Iterable[Cue]) -> str:
    """Words from all over the source: the opening alone may be a greeting in another language."""
    texts = [cue.text for cue in cues]
    total = sum(map(len, texts))
    step = max(total // _SAMPLE_CHARS, 1)
    return " ".join(text[:_SAMPLE_CHARS] for text in texts[::step])[:_SAMPLE_CHARS]


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # The model takes a second to load, so it is loaded by the first who asks.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
