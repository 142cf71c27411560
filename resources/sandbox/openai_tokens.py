"""What counts as a token here: four characters, the last token may be shorter.

It is a rule to reckon with by hand, not a tokenizer: the same text has the same count on every machine.
"""

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


def count_tokens(text: str) -> int:
    """Tokens of a text.

    >>> count_tokens(""), count_tokens("four"), count_tokens("fives")
    (0, 1, 2)
    """
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def cut_to_tokens(text: str, most: int) -> str:
    """The beginning of a text that has at most this many tokens.

    >>> cut_to_tokens("one two three", 2)
    'one two '
    """
    return text[: most * CHARACTERS_PER_TOKEN]


def split_tokens(text: str, tokens: int) -> list[str]:
    """A text in pieces of this many tokens, in order.

    >>> split_tokens("one two three", 2)
    ['one two ', 'three']
    """
    size = tokens * CHARACTERS_PER_TOKEN
    return [text[start : start + size] for start in range(0, len(text), size)]
