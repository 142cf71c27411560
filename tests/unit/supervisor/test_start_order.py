import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from resources.supervisor.order import dependents, start_order
from resources.supervisor.specs import ChildSpec


def child(name: str, *needs: str) -> ChildSpec:
    return ChildSpec(name, ("program",), needs=needs)


@given(st.data())
def test_each_child_comes_after_all_it_needs(data: st.DataObject) -> None:
    names = [f"c{i}" for i in range(data.draw(st.integers(0, 8)))]
    specs = [
        child(n, *data.draw(st.sets(st.sampled_from(names[:i]))) if i else ()) for i, n in enumerate(names)
    ]
    ordered = [s.name for s in start_order(data.draw(st.permutations(specs)))]
    assert sorted(ordered) == sorted(names)
    for spec in specs:
        assert all(ordered.index(need) < ordered.index(spec.name) for need in spec.needs)


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ([child("a", "b")], "a needs b"),
        ([child("a", "b"), child("b", "a")], "circle"),
        ([child("a"), child("a")], "same name"),
    ],
)
def test_what_cannot_be_ordered_is_refused(specs: list[ChildSpec], words: str) -> None:
    with pytest.raises(ConfigInvalid, match=words):
        start_order(specs)


def test_only_direct_dependents_are_named() -> None:
    assert dependents([child("a"), child("b", "a"), child("c", "b")], "a") == ["b"]
