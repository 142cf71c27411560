"""docs/states.md and ARCHITECTURE.md draw exactly the moves of the two tables in code."""

import re
from collections import Counter
from pathlib import Path

import pytest

from rejoinder.posting import states
from rejoinder.review import moves

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
EDGE = re.compile(r"^ {4}(\S+) --> (\S+)$")
MAP_EDGE = re.compile(r"^( {4}| {8})(\S+) --> (\S+)$")


def drawn_edges(heading: str) -> list[tuple[str, str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = section.split("```mermaid\nstateDiagram-v2\n")[1].split("\n```")[0].splitlines()
    edges = [EDGE.match(line) for line in lines]
    assert all(edges), [line for line, edge in zip(lines, edges, strict=True) if not edge]
    return [(edge[1], edge[2]) for edge in edges if edge]


def name(place: moves.Place) -> str:
    return f"{place.stage}_{place.status}"


def inner(edges: list[tuple[str, str]]) -> set[tuple[str, str]]:
    return {edge for edge in edges if "[*]" not in edge}


@pytest.mark.parametrize("heading", ["A post", "A publication", "A part"])
def test_no_edge_is_drawn_twice(heading: str) -> None:
    assert not [edge for edge, times in Counter(drawn_edges(heading)).items() if times > 1]


def test_the_posts_diagram_is_the_table() -> None:
    assert inner(drawn_edges("A post")) == {(name(before), name(after)) for before, after in moves.WALK_MOVES}


def test_the_posts_diagram_starts_and_ends_where_the_table_does() -> None:
    edges = drawn_edges("A post")
    assert {after for before, after in edges if before == "[*]"} == {name(moves.START)}
    assert {before for before, after in edges if after == "[*]"} == {name(p) for p in moves.FINAL_PLACES}


def test_the_publications_diagram_is_the_table() -> None:
    assert inner(drawn_edges("A publication")) == states.PUBLICATION_MOVES


def test_the_publications_diagram_starts_and_ends_where_the_table_does() -> None:
    edges = drawn_edges("A publication")
    assert {after for before, after in edges if before == "[*]"} == states.BIRTH_STATES
    assert {before for before, after in edges if after == "[*]"} == {
        state for state in states.STATES if not any(before == state for before, _ in states.PUBLICATION_MOVES)
    }


def test_the_parts_diagram_is_the_table() -> None:
    edges = drawn_edges("A part")
    assert inner(edges) == states.PART_MOVES
    assert set(edges) - inner(edges) == {("[*]", "queued"), ("sent", "[*]")}
    assert {state for state in states.PART_STATES if not any(b == state for b, _ in states.PART_MOVES)} == {
        "sent"
    }


@pytest.mark.parametrize(
    ("edge", "pairs"),
    [("any --> triage_pending", moves.EDITED_MOVES), ("any --> withdrawn", moves.WITHDRAWN_MOVES)],
)
def test_the_sentences_name_the_exceptions(edge: str, pairs: moves.Moves) -> None:
    item = re.search(rf"`{edge}`.*?(?=\n- |\n\n)", PAGE, re.DOTALL)
    assert item
    exceptions = set(re.findall(r"`(\w+)`", item[0].split("Not from")[1]))
    befores = {before for before, _ in pairs}
    resting = {place for place in moves.PLACES if place.status == "withdrawn"}
    # a withdrawn post is withdrawn already: that is no exception worth a sentence
    missing = moves.PLACES - befores - (resting if edge.endswith("withdrawn") else set())
    assert exceptions == {name(place) for place in missing}


@pytest.mark.parametrize("status", sorted({place.status for place in moves.PLACES}))
def test_every_status_of_a_post_is_explained(status: str) -> None:
    assert re.search(rf"^\| `(\w+_)?{status}`", PAGE, re.MULTILINE)


@pytest.mark.parametrize("state", states.STATES)
def test_every_state_of_a_publication_is_explained(state: str) -> None:
    assert re.search(rf"^\| `{state}` \|", PAGE, re.MULTILINE)


def map_edges(number: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Edges of the map's diagram of that number: outside and inside its composite state."""
    lines = MAP.split("```mermaid\nstateDiagram-v2\n")[number].split("\n```")[0].splitlines()
    edges = [(found[2], found[3], len(found[1])) for line in lines if (found := MAP_EDGE.match(line))]
    others = [line.strip() for line in lines if not MAP_EDGE.match(line)]
    assert others in (["direction LR"], ["direction LR", "state work {", "}"])
    assert not [edge for edge, times in Counter(edges).items() if times > 1]
    return [(b, a) for b, a, indent in edges if indent == 4], [
        (b, a) for b, a, indent in edges if indent == 8
    ]


def folded(place: moves.Place) -> str:
    return "work" if place.stage in moves.WORK_STAGES else name(place)


def test_the_map_folds_the_posts_table() -> None:
    outside, _ = map_edges(1)
    pairs = {(folded(before), folded(after)) for before, after in moves.WALK_MOVES}
    assert inner(outside) == pairs - {("work", "work")}
    assert set(outside) - inner(outside) == {("[*]", folded(moves.START))} | {
        (name(place), "[*]") for place in moves.FINAL_PLACES
    }


@pytest.mark.parametrize("stage", moves.WORK_STAGES)
def test_the_maps_work_is_the_machine_of_each_working_stage(stage: moves.WorkStage) -> None:
    _, inside = map_edges(1)
    assert set(inside) == {(b.status, a.status) for b, a in moves.WALK_MOVES if b.stage == a.stage == stage}


def test_the_map_draws_the_publications_diagram() -> None:
    outside, inside = map_edges(2)
    assert not inside
    assert set(outside) == set(drawn_edges("A publication"))
