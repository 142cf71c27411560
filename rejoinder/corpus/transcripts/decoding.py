"""Bytes to text: byte order marks, UTF-8 first, then detection; what was decoded wrongly before is undone."""

import codecs
from typing import NamedTuple

import regex
from charset_normalizer import from_bytes

from rejoinder.corpus.transcripts.pieces import counted
from rejoinder.errors import InputUnreadable
from rejoinder.text.languages import script_shares

# UTF-32 before UTF-16: the little-endian mark of the one begins with that of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (b"\x1f\x8b", b"PK\x03\x04", b"ID3", b"OggS", b"RIFF", b"fLaC", b"\x89PNG", b"\xff\xfb")
_SAMPLE_BYTES = 200_000
# What Windows-1252 texts of Western Europe are written with beyond ASCII.
_WESTERN = frozenset(
    "àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜÝŸ‘’“”„–—…•«»€£°©®¡¿ª·\xa0\xad"
)
_MAX_DAMAGED_SHARE = 0.01
# UTF-8 that was read as Windows-1252 or Latin-1 and saved so: a lead byte's letter and a continuation's.
_TWICE = regex.compile(r"[ÂÃâÐÑå][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_MIN_TWICE = 3


class Decoded(NamedTuple):
    """A file's text, and what had to be done to read it, a sentence each."""

    text: str
    notes: tuple[str, ...]


def decode(data: bytes) -> Decoded:
    """The text of a file as decode_text gives it, without what an earlier wrong decoding did to it.

    Raises:
        InputUnreadable: there is no text, or no encoding gives text.
    """
    text = decode_text(data)
    n_damaged = _n_damaged(text, data)
    notes = [f"{counted(n_damaged, 'damaged character')} shown as \ufffd"] if n_damaged else []
    if not data.startswith(tuple(mark for mark, _ in _MARKS)) and b"\x00" not in data and not _is_utf8(data):
        notes.append("read as an older encoding than UTF-8, told from its bytes")
    undone = _undone(text)
    if undone != text:
        notes.append("characters that an earlier program had decoded wrongly were put right")
    return Decoded(undone, tuple(notes))


def _n_damaged(text: str, data: bytes) -> int:
    return max(text.count("\ufffd") - data.count("\ufffd".encode()), 0)


def _is_utf8(data: bytes) -> bool:
    return _as_utf8(data) is not None


def _undone(text: str) -> str:
    """The text without double encoding, where it shows it more often than by chance."""
    if len(_TWICE.findall(text)) < _MIN_TWICE:
        return text
    import ftfy

    return "\n".join(ftfy.fix_encoding(line) if _TWICE.search(line) else line for line in text.split("\n"))


def decode_text(data: bytes) -> str:
    r"""The text of a file, line ends as ``\n``, without byte order mark.

    A file that is UTF-8 but for a few damaged bytes (a cut in mid-character, a stray Latin-1 line)
    is read as UTF-8 with the damaged places as U+FFFD.

    Raises:
        InputUnreadable: there is no text, or no encoding gives text.

    >>> decode_text(b"\xef\xbb\xbfcaf\xc3\xa9\r\n")
    'café\n'
    """
    if not data.strip(b" \t\r\n\x00"):
        raise InputUnreadable("the file is empty")
    if data.startswith(b"%PDF-") or (data.startswith(_BINARY) and b"\x00" in data[:4096]):
        raise InputUnreadable("the file is not text (audio, archive, image or PDF)")
    text = _by_mark(data) or _as_utf8(data) or _as_utf16(data) or _detected(data)
    if not text.strip("\ufeff\x00 \t\r\n"):
        raise InputUnreadable("the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").lstrip("\ufeff")


def _by_mark(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    return None


def _as_utf8(data: bytes) -> str | None:
    """UTF-8, where at most a hundredth of the characters beyond ASCII is damaged."""
    if b"\x00" in data:
        return None
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd") - data.count("\ufffd".encode())
    if damaged <= 0:
        return text
    beyond_ascii = sum(not character.isascii() for character in text)
    return text if damaged == 1 < beyond_ascii or damaged <= beyond_ascii * _MAX_DAMAGED_SHARE else None


def _as_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its ASCII characters is zero."""
    zeros = data[:2000].count(b"\x00")
    if not 0.2 < zeros / min(len(data), 2000) < 0.6:
        return None
    encoding = "utf-16-le" if data[1:2000:2].count(b"\x00") > zeros / 2 else "utf-16-be"
    return data.decode(encoding, errors="replace")


def _detected(data: bytes) -> str:
    found = from_bytes(data[:_SAMPLE_BYTES]).best()
    if found is None or b"\x00" in data:
        raise InputUnreadable("the file cannot be decoded: it is in no text encoding that is known")
    text = data.decode(found.encoding, errors="replace")
    is_latin = next(iter(script_shares(text[:_SAMPLE_BYTES])), "Latin") == "Latin"
    return (_as_western(data) if is_latin else None) or text


def _as_western(data: bytes) -> str | None:
    """Windows-1252, where every character beyond ASCII is one that the West writes.

    Detection mixes the Latin code pages up; this one is by far the most common.
    """
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return text if all(character.isascii() or character in _WESTERN for character in text) else None
