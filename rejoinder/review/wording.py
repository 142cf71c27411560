"""The one form in which a text is approved, hashed, shown and sent."""

import unicodedata


def as_sent(text: str) -> str:
    r"""The text in the form in which it goes out: NFC, newlines as ``\n``, no spaces at line ends or around it.

    Applying it twice changes nothing, so what a person is shown is what is hashed.

    >>> as_sent("  Cafe\u0301 \r\nat 12:04  \n")
    'Café\nat 12:04'
    """
    normal = unicodedata.normalize("NFC", text)
    return "\n".join(line.rstrip() for line in normal.splitlines()).strip()
