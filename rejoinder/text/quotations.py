"""What a text puts between quotation marks.

What belongs here: finding quotations, however they are marked; whether they are true is for others.
"""

from collections.abc import Iterator

import regex

# Marks within marks belong to the outer ones, and what is opened but never closed goes on to the end. Single marks
# are told from apostrophes by standing at the edge of a word.
_QUOTATION = regex.compile(
    r"(?P<curly>“(?:[^“”]++|(?&curly))*+(?:”|$))"
    r"|„[^„“”]*+(?:[“”]|$)"
    r"|«[^«»]*+(?:»|$)|»[^«»]*+«"
    r"|\"[^\"]*+\"|(?<!\w)\"[^\"]*+$"
    r"|(?<![\w'’])[‘'‚](?=\p{L})[^\n]*?(?<=\S)['’‘](?!\w)"
)


def quotations(text: str) -> Iterator[str]:
    r"""Each quotation with its marks, in order; what stands inside another is part of that.

    >>> list(quotations("“She said “no”.” The users' «oui», 'and so on', \"end"))
    ['“She said “no”.”', '«oui»', "'and so on'", '"end']
    """
    return (found[0] for found in _QUOTATION.finditer(text))
