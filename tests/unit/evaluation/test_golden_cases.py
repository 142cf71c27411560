"""Our golden cases keep to their form; a file that does not is an error that names file, line and key."""

import json
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.drafting.strategies import STRATEGY_NAMES
from rejoinder.errors import ConfigInvalid
from rejoinder.evaluation.cases import ClaimCase, ReplyCase, SummaryCase, VerdictCase
from rejoinder.evaluation.matching import says
from rejoinder.text.weighted_length import length_limit
from resources.evaluation.golden import (
    FOLDER,
    SPLITS,
    TaskName,
    case_hash,
    cases_file,
    json_schema,
    load_cases,
)

TASKS: tuple[TaskName, ...] = get_args(TaskName)
AT_LEAST = {"claims": 40, "verdicts": 40, "replies": 30, "summaries": 20}
CLAIM = {
    "id": "a", "split": "dev", "language": "en", "tags": [], "post": "It weighs 3 kilos.",
    "claims": [{"text": "It weighs 3 kilos.", "kind": "statistic"}],
}  # fmt: skip


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("task", TASKS)
def test_our_cases_are_enough_and_in_both_splits(task: TaskName) -> None:
    cases = load_cases(task)
    assert len(cases) >= AT_LEAST[task]
    parts = [load_cases(task, split=split) for split in SPLITS]
    assert {case.id for part in parts for case in part} == {case.id for case in cases}
    assert all(len(part) >= 0.4 * len(cases) for part in parts)


@pytest.mark.parametrize("task", TASKS)
def test_every_line_keeps_to_the_json_schema(task: TaskName) -> None:
    schema = json_schema(task)
    assert schema["additionalProperties"] is False
    for line in lines(cases_file(task)):
        jsonschema.validate(line, schema)


@pytest.mark.parametrize("task", TASKS)
def test_the_splits_share_no_text(task: TaskName) -> None:
    texts = {"claims": "post", "verdicts": "claim", "replies": "post", "summaries": "title"}
    dev, held_out = (
        {getattr(case, texts[task]) for case in load_cases(task, split=split)} for split in SPLITS
    )
    assert dev & held_out == set()
    if task == "verdicts":
        said = [{s for c in load_cases(task, split=p) for s in c.evidence} for p in SPLITS]  # type: ignore[union-attr]
        assert said[0] & said[1] == set()


def test_the_counts_that_the_readme_gives_are_right() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for task in TASKS:
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{task}.jsonl`"))
        counts = f"{len(load_cases(task))}, {len(load_cases(task, split='held_out'))} |"
        assert row.endswith(counts), counts


def test_every_fact_of_a_summary_is_in_its_passage() -> None:
    for case in load_cases("summaries"):
        assert isinstance(case, SummaryCase)
        said = " ".join(case.passage)
        lost = [fact for fact in case.facts if not says(said, fact, language=case.language)]
        assert (case.id, lost) == (case.id, [])


def test_every_fact_of_a_reply_is_in_its_evidence_and_no_fault_is() -> None:
    for case in load_cases("replies"):
        assert isinstance(case, ReplyCase)
        assert case.strategy in STRATEGY_NAMES
        right = [case.evidence[n - 1].quote for n in case.quote_from]
        lost = [
            fact for fact in case.must_say if not any(says(q, fact, language=case.language) for q in right)
        ]
        wrong = [one for one in case.must_not_say for q in right if says(q, [one], language=case.language)]
        assert (case.id, lost, wrong) == (case.id, [], [])


def test_the_kinds_that_the_product_has_to_stand_are_there() -> None:
    def tags(task: TaskName) -> set[str]:
        return {tag for case in load_cases(task) for tag in case.tags}

    assert {"sarcasm", "injection", "question", "no-claim", "negation"} <= tags("claims")
    assert {"injection", "negation", "other-number", "other-time", "near-miss"} <= tags("verdicts")
    assert {"injection", "abstain", "choose"} <= tags("replies")
    assert "injection" in tags("summaries")
    for task in TASKS:
        assert {case.language for case in load_cases(task)} == {"en", "de", "es"}
    posts = [case for case in load_cases("claims") if isinstance(case, ClaimCase)]
    assert all(length_limit("reddit").measure(case.post) < 1000 for case in posts)
    verdicts = [case.verdict for case in load_cases("verdicts") if isinstance(case, VerdictCase)]
    assert all(verdicts.count(one) >= 12 for one in ("supports", "disputes", "related"))


def written(folder: Path, *rows: object) -> Path:
    path = folder / "claims.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {**CLAIM, "claims": [{"text": "It weighs 4 kilos.", "kind": "statistic"}]},
            "line 2, a: not in the post",
        ),
        ({**CLAIM, "split": "test"}, "line 2: split: "),
        ({**CLAIM, "notes": "?"}, "line 2: notes: "),
        ({**CLAIM, "claims": [{"text": "It", "kind": "rumour"}]}, "line 2: claims.0.kind: "),
        ({key: value for key, value in CLAIM.items() if key != "post"}, "line 2: post: "),
        ("{", "line 2: the line: "),
        ("[]", "line 2: the line: "),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        load_cases("claims", written(tmp_path, {**CLAIM, "id": "first"}, row))


def test_an_id_that_comes_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="these ids come twice: a"):
        load_cases("claims", written(tmp_path, CLAIM, CLAIM))


def test_a_split_without_cases_and_one_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no case of the split held_out"):
        load_cases("claims", written(tmp_path, CLAIM), split="held_out")
    with pytest.raises(ConfigInvalid, match="no such split"):
        load_cases("claims", split="test")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"no\.jsonl cannot be read"):
        load_cases("claims", tmp_path / "no.jsonl")


@given(st.binary(max_size=120))
def test_whatever_a_file_holds_the_error_is_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("cases") / "claims.jsonl"
    path.write_bytes(json.dumps(CLAIM).encode() + b"\n" + data)
    try:
        assert len(load_cases("claims", path)) == 1
    except ConfigInvalid as error:
        assert "claims.jsonl" in str(error)


def test_the_hash_changes_with_the_wording_and_not_with_split_or_tags(tmp_path: Path) -> None:
    def hashed(**more: object) -> str:
        return case_hash(load_cases("claims", written(tmp_path, {**CLAIM, **more}))[0])

    assert hashed() == hashed(split="held_out", tags=["x"])
    assert hashed() != hashed(post="It weighs 3 kilos. Really.")
