"""Words that bind other words together and name nothing, by language."""

from functools import lru_cache

from rejoinder.text.terms import STOP_WORDS
from rejoinder.text.word_lists import word_set

# English is a closed list of our own: general lists take out subjects too (system, research, text).
_ENGLISH = STOP_WORDS | word_set(
    "able across ago ahead almost alone along already although always among another anyhow anyway anywhere "
    "apart around aside away behind beside besides beyond cannot cause cuz despite done either else "
    "elsewhere em enough especially etc even ever every everywhere except far going gonna gotta hence "
    "herself however ie indeed inside instead kinda later least less likely many may maybe meanwhile "
    "merely might mostly much must myself near nearly neither never nevertheless none nor often onto "
    "otherwise ought ourselves outside per perhaps plus rather regarding seem seemed seems several shall "
    "since somehow sometimes somewhat somewhere soon sorta still themselves therefore though throughout "
    "thus together toward towards unless unlike upon us usually various versus via wanna well whatever "
    "whenever whereas wherever whether whichever whoever whose within without yet yourself yourselves "
    "zero one ones two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
    "once twice hundred"
)


@lru_cache(maxsize=16)
def function_words(language: str = "en") -> frozenset[str]:
    """Function words and number words of a language, case folded; English where it is not known.

    Args:
        language: an ISO 639-1 code, or a tag that begins with one (``pt-BR``).

    Source: for other languages than English, Stopwords ISO (package stopwordsiso, MIT).

    >>> "the" in function_words(), "system" in function_words(), "pourquoi" in function_words("fr-CA")
    (True, False, True)
    """
    code = language[:2].casefold()
    if code == "en":
        return _ENGLISH
    # Imported here: it reads the lists of 58 languages.
    from stopwordsiso import has_lang, stopwords

    return frozenset(stopwords(code)) if has_lang(code) else _ENGLISH
