"""Word lists as they are written in code: one string, words separated by white space."""


def word_set(words: str) -> frozenset[str]:
    """The words of the string.

    >>> sorted(word_set("two  words"))
    ['two', 'words']
    """
    return frozenset(words.split())
