"""Files of posts as records with their line: JSON lines, tables, exports of X; a bad line is one record that says why.

What belongs here: the forms of files. What a record means belongs in archive_fields.
"""

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from rejoinder.corpus.transcripts.decoding import decode_text
from rejoinder.errors import ConfigInvalid, InputUnreadable

LONGEST_LINE = 8 * 2**20
LARGEST_MEMBER = 2 * 2**30
KINDS = ".jsonl, .ndjson, .csv, .tsv (each also with .gz), .json, .js, or the .zip of an X data export"
# X writes its export as JavaScript: an assignment before each array.
ASSIGNMENT = re.compile(r"\s*window\.[\w.]+\s*=\s*")
TWEETS = re.compile(r"(?:.*/)?data/tweets?(?:-part\d+)?\.js")
# What reading raises where a file is cut, damaged, locked with a password or packed in an unknown way.
DAMAGED = (zipfile.BadZipFile, EOFError, OSError, zlib.error, RuntimeError)
ACCOUNT = re.compile(r"(?:.*/)?data/account\.js")


class Record(NamedTuple):
    """One record: its line (or its number in an array), what was written, and its value, or why there is none."""

    line: int
    raw: str
    value: Mapping[str, Any] | None
    problem: str = ""
    author: str | None = None


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file, in its order.

    Raises:
        ConfigInvalid: there is no such file, or its kind is not known.
        InputUnreadable: it cannot be read at all: no text, no JSON array, a damaged archive.
    """
    if not path.is_file():
        raise ConfigInvalid(f"There is no file {path}.")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    try:
        if kind in {".jsonl", ".ndjson"}:
            yield from _json_lines(path)
        elif kind in {".csv", ".tsv"}:
            yield from _table(path, "\t" if kind == ".tsv" else ",")
        elif kind in {".js", ".json"}:
            yield from _array(decode_text(_bytes(path)), 0, None)
        elif kind == ".zip":
            yield from _export(path)
        else:
            raise ConfigInvalid(f"{path.name} is no archive of posts that can be read: give {KINDS}.")
    except DAMAGED as error:
        raise InputUnreadable(f"{path.name} cannot be read: {error}") from None


def _open(path: Path) -> BinaryIO:
    is_packed = path.suffix.lower() == ".gz"
    return cast(BinaryIO, gzip.open(path, "rb")) if is_packed else path.open("rb")


def _bytes(path: Path) -> bytes:
    with _open(path) as file:
        return file.read()


def _json_lines(path: Path) -> Iterator[Record]:
    with _open(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield Record(number, line[:200].decode("utf-8", "replace"), None, "the line is over 8 MiB")
            elif line.strip():
                yield _json_line(number, line)


def _json_line(number: int, line: bytes) -> Record:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        return Record(number, line.decode("utf-8", "replace"), None, "the line is not UTF-8")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Record(number, text, None, f"the line is no JSON: {error}")
    if not isinstance(value, dict):
        return Record(number, text, None, "the line is no JSON object")
    return Record(number, text, value)


def _table(path: Path, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_LINE)
    rows = csv.reader(io.StringIO(decode_text(_bytes(path)), newline=""), delimiter=delimiter)
    header = [name.strip().lower() for name in next(rows, [])]
    _refuse_header(path, header)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, "", None, f"the row cannot be read: {error}")
            continue
        if row:
            yield _row(line, header, row)


def _row(line: int, header: list[str], row: list[str]) -> Record:
    raw = json.dumps(row, ensure_ascii=False)
    if len(row) != len(header):
        return Record(line, raw, None, f"the row has {len(row)} values and the header {len(header)}")
    return Record(line, raw, dict(zip(header, row, strict=True)))


def _refuse_header(path: Path, header: list[str]) -> None:
    from resources.platforms.archive_fields import NAMES

    known = {"text": (*NAMES["text"], "title"), "id": (*NAMES["id"], *NAMES["url"]), "time": NAMES["created"]}
    for what, names in known.items():
        if not set(names) & set(header):
            raise InputUnreadable(
                f"{path.name} has no column for the {what} of a post: name it {' or '.join(names[:4])}"
                f" (it has: {', '.join(header)[:200]})"
            )


def _array(text: str, before: int, author: str | None) -> Iterator[Record]:
    body = ASSIGNMENT.sub("", text, count=1)
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(f"it is no JSON array of posts: {error}") from None
    if not isinstance(values, list):
        raise InputUnreadable("it is JSON, but no array of posts")
    for number, value in enumerate(values, start=before + 1):
        raw = json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict):
            yield Record(number, raw, value, author=author)
        else:
            yield Record(number, raw, None, "it is no JSON object")


def _export(path: Path) -> Iterator[Record]:
    with zipfile.ZipFile(path) as archive:
        members = sorted(name for name in archive.namelist() if TWEETS.fullmatch(name))
        if not members:
            raise InputUnreadable(f"{path.name} holds no data/tweets.js: it is no data export of X")
        author, number = _owner(archive), 0
        for name in members:
            if archive.getinfo(name).file_size > LARGEST_MEMBER:
                raise InputUnreadable(f"{name} in {path.name} is over 2 GiB")
            for record in _array(decode_text(archive.read(name)), number, author):
                number = record.line
                yield record


def _owner(archive: zipfile.ZipFile) -> str | None:
    for name in archive.namelist():
        if ACCOUNT.fullmatch(name) and archive.getinfo(name).file_size < LONGEST_LINE:
            try:
                text = ASSIGNMENT.sub("", decode_text(archive.read(name)), count=1)
                return str(json.loads(text)[0]["account"]["username"])
            except (ValueError, KeyError, IndexError, TypeError, InputUnreadable):
                return None
    return None
