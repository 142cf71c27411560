"""BEIR folders in every state: clean, with byte order marks and CRLF, with lines that nothing can be made of."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from resources.evaluation.beir import NOTES_PER_KIND, load_beir

CORPUS = [{"_id": "d1", "title": "Heaps", "text": "They rot."}, {"_id": 2, "title": "", "text": "Pumps."}]
QUERIES = [{"_id": "q1", "text": "why rot"}, {"_id": "q2", "text": "unjudged"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\n"


def write(
    folder: Path, *, corpus: bytes | None = None, queries: bytes | None = None, qrels: bytes | None = None
) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_bytes(lines(CORPUS) if corpus is None else corpus)
    (folder / "queries.jsonl").write_bytes(lines(QUERIES) if queries is None else queries)
    (folder / "qrels" / "test.tsv").write_bytes(QRELS.encode() if qrels is None else qrels)
    return folder


def lines(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_clean_folder(tmp_path: Path) -> None:
    found = load_beir(write(tmp_path / "tiny"))
    assert (found.name, found.split, found.notes) == ("tiny", "test", ())
    assert [(d.id, d.passage) for d in found.documents] == [("d1", "Heaps They rot."), ("2", "Pumps.")]
    assert found.queries == {"q1": "why rot"}
    assert found.judgements == {"q1": {"d1": 2.0}}


def test_byte_order_marks_and_crlf_change_nothing(tmp_path: Path) -> None:
    def dos(data: bytes) -> bytes:
        return b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")

    clean = load_beir(write(tmp_path / "tiny"))
    folder = write(
        tmp_path / "tiny", corpus=dos(lines(CORPUS)), queries=dos(lines(QUERIES)), qrels=dos(QRELS.encode())
    )
    assert load_beir(folder) == clean


def test_judgements_without_a_header_lose_no_line(tmp_path: Path) -> None:
    assert load_beir(write(tmp_path, qrels=b"q1\td1\t1\n")).judgements == {"q1": {"d1": 1.0}}


def test_lines_that_cannot_be_used_are_reported_with_their_number(tmp_path: Path) -> None:
    dirty = [b'{"_id": "d1", "text": "a"}', b"", b"not json", b"[1]", b'{"text": "b"}']
    dirty += [b'{"_id": "d1", "text": "again"}', b"\xff\xfe", b'{"_id": "e"}', b""]
    found = load_beir(write(tmp_path, corpus=b"\n".join(dirty)))
    assert [d.id for d in found.documents] == ["d1"]
    assert (
        list(found.notes)
        == [
            "corpus.jsonl, line 3: not JSON",
            "corpus.jsonl, line 4: not a JSON object",
            "corpus.jsonl, line 5: no _id",
            "corpus.jsonl, line 6: this _id came before",
            "corpus.jsonl, line 7: not UTF-8",
            "corpus.jsonl, line 8: no text",
            "test.tsv, line 3: a document that corpus.jsonl lacks: it counts as not found",
        ][: len(found.notes)]
    )


def test_the_same_trouble_a_hundred_times_is_told_briefly(tmp_path: Path) -> None:
    found = load_beir(write(tmp_path, corpus=lines(CORPUS) + b"no\n" * 100))
    assert len(found.notes) == NOTES_PER_KIND + 1
    assert found.notes[-1] == "corpus.jsonl: not JSON: 95 more"


def test_judgements_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    qrels = b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td1\nq1\t2\tnan\nq9\td1\t1\nq1\tgone\t1\n"
    found = load_beir(write(tmp_path, qrels=qrels))
    assert found.judgements == {"q1": {"d1": 1.0, "gone": 1.0}}
    assert [note.split(": ")[0] for note in found.notes] == [f"test.tsv, line {n}" for n in (3, 4, 5, 6)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corpus": b""}, "corpus.jsonl has no line"),
        ({"queries": b"{}\n"}, "queries.jsonl has no line"),
        ({"qrels": b"q1\td1\t0\n"}, "no query of the split test"),
    ],
)
def test_a_folder_that_cannot_be_used_is_an_error_that_names_the_file(
    tmp_path: Path, change: dict[str, bytes], said: str
) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        load_beir(write(tmp_path, **change))


def test_a_missing_split_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="splits found: test"):
        load_beir(write(tmp_path), split="train")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"corpus\.jsonl cannot be read"):
        load_beir(tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["corpus", "queries", "qrels"]))
def test_whatever_a_file_holds_the_rest_is_read_or_the_error_is_ours(
    tmp_path: Path, data: bytes, file: str
) -> None:
    good = {"corpus": lines(CORPUS), "queries": lines(QUERIES), "qrels": QRELS.encode()}[file]
    found = load_beir(write(tmp_path, **{file: good + data + b"\n"}))
    assert found.judgements["q1"]["d1"] > 0


def test_scifact_is_read_whole(data_dir: Path) -> None:
    folder = data_dir / "scifact" / "beir"
    train = load_beir(folder, split="train")
    assert (len(train.documents), len(train.queries), train.notes) == (5183, 809, ())
