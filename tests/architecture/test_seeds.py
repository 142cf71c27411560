"""docs/seeds.md has a row for every section of the design documents, and what its rows name is there."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "seeds.md").read_text("utf-8")
SEEDS = ROOT.parent / "shared" / "seeds"
HEADER = "| section | where it lives | shown by |"
CODE = re.compile(r"`([^`]+)`")

# Document -> number of sections, and the first 16 hex digits of the SHA-256 of their names, one per line.
SECTIONS = {
    "000": (17, "f8d98a4b6457c090"),
    "001": (19, "6b4a4db5827d2582"),
    "002": (58, "afddf4822159076a"),
    "003": (8, "5916875664302374"),
    "004": (25, "8791dbb9029bef0d"),
}


class Row(NamedTuple):
    document: str
    section: str
    where: str
    shown_by: str


def rows_of(page: str) -> list[Row]:
    found = []
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        table = part.split(f"{HEADER}\n|---|---|---|\n")[1]
        for line in table.strip().splitlines():
            section, where, shown_by = (cell.strip() for cell in line.strip("|").split("|"))
            found.append(Row(part[:3], section, where, shown_by))
    return found


ROWS = rows_of(PAGE)


def clean(heading: str) -> str:
    return re.sub(r"[`\\]", "", heading).replace("\u2011", "-").strip()


def sections_of(text: str) -> list[str]:
    """Names of the sections that say something themselves, each below its parents' names."""
    found: list[list[object]] = []
    path: list[tuple[int, str]] = []
    is_fenced = False
    for line in text.splitlines():
        is_fenced ^= line.startswith("```")
        heading = None if is_fenced else re.match(r"(#+) (.+)", line)
        if heading:
            depth = len(heading[1])
            path = [*(p for p in path if p[0] < depth), (depth, clean(heading[2]))]
            found.append([" › ".join(name for at, name in path if at > 1) or path[-1][1], False])
        elif found and line.strip() not in {"", "---"}:
            found[-1][1] = True
    return [str(name) for name, says_something in found if says_something]


def paths(text: str) -> list[str]:
    """What a cell names that is a file or folder: with a slash, or a name at the top of the repository."""
    names = [name for name in CODE.findall(text) if " " not in name]
    return [name for name in names if "/" in name or (ROOT / name).exists()]


@pytest.mark.parametrize("document", SECTIONS)
def test_no_section_drops_out(document: str) -> None:
    names = [row.section for row in ROWS if row.document == document]
    assert (len(names), hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]) == SECTIONS[document]


@pytest.mark.parametrize("document", SECTIONS)
def test_the_rows_are_the_sections_of_the_document(document: str) -> None:
    if not SEEDS.is_dir():
        pytest.skip("the design documents are not on this machine")
    (path,) = SEEDS.glob(f"{document}_*.txt")
    assert [row.section for row in ROWS if row.document == document] == sections_of(path.read_text("utf-8"))


def test_a_heading_without_text_of_its_own_is_no_section() -> None:
    text = (
        "# Title\n\n## One\n\n### Inner\ntext\n```\n# no heading\n```\n## Two\n---\n\n## Thr\u2011ee\ntext\n"
    )
    assert sections_of(text) == ["One › Inner", "Thr-ee"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.document} {row.section}")
def test_a_row_is_planned_or_names_a_place_and_a_test(row: Row) -> None:
    if row.where == "planned":
        assert row.shown_by == "planned"
        return
    tests = [name for name in paths(row.shown_by) if name.startswith("tests/")]
    assert paths(row.where)
    assert tests


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.document} {row.section}")
def test_what_a_row_names_is_there(row: Row) -> None:
    assert [name for name in paths(f"{row.where} {row.shown_by}") if not (ROOT / name).exists()] == []
