"""In which order children start, and who has to be gone before a child may stop."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from rejoinder.errors import ConfigInvalid
from resources.supervisor.specs import ChildSpec


def start_order(specs: Sequence[ChildSpec]) -> list[ChildSpec]:
    """The children so that each comes after all it needs.

    Raises:
        ConfigInvalid: two share a name, one needs a child that is not there, or the needs go in a circle.
    """
    by_name = {spec.name: spec for spec in specs}
    if len(by_name) != len(specs):
        raise ConfigInvalid("Two child processes have the same name.")
    for spec in specs:
        if missing := sorted(set(spec.needs) - set(by_name)):
            raise ConfigInvalid(f"{spec.name} needs {', '.join(missing)}, which is not started.")
    try:
        ordered = list(TopologicalSorter({s.name: s.needs for s in specs}).static_order())
    except CycleError as error:
        raise ConfigInvalid(f"Child processes need each other in a circle: {error.args[1]}") from None
    return [by_name[name] for name in ordered]


def dependents(specs: Sequence[ChildSpec], name: str) -> list[str]:
    """Names of the children that directly need this one, so that it stops after them.

    >>> a, b = ChildSpec("a", ("x",)), ChildSpec("b", ("x",), needs=("a",))
    >>> dependents([a, b], "a")
    ['b']
    """
    return [spec.name for spec in specs if name in spec.needs]
