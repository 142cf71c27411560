"""A scenario as a file says it: YAML, checked; what is wrong is told with its line and key.

This module reads and checks; `scenario_start` puts a scenario into a state, `events` lets it happen.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from resources.sandbox.scenario_form import ScenarioForm

FOLDER = Path(__file__).with_name("scenarios")
LARGEST_FILE = 1_000_000
NAME = re.compile(r"[a-z0-9_]{1,60}")
MOST_ERRORS = 5


class ScenarioInvalid(ValueError):
    """A scenario that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario; folder is where the files that it names are, digest tells its content."""

    name: str
    form: ScenarioForm
    folder: Path
    digest: str


def find_scenario(given: str) -> Path:
    """The file of a scenario: one that is shipped, by its name, or any file.

    Raises:
        ScenarioInvalid: there is none.
    """
    shipped = FOLDER / f"{given}.yaml"
    if NAME.fullmatch(given) and shipped.is_file():
        return shipped
    if Path(given).is_file():
        return Path(given)
    names = ", ".join(path.stem for path in shipped_files())
    raise ScenarioInvalid(f"no scenario {given!r}: give a file, or one of {names}")


def shipped_files() -> list[Path]:
    """The files of the scenarios that come with the sandbox, by name."""
    return sorted(FOLDER.glob("*.yaml"))


def describe_shipped() -> str:
    """Each scenario that is shipped, a line each: its name and what it says of itself."""
    forms = [(path.stem, load_scenario(path).form) for path in shipped_files()]
    width = max(len(name) for name, _ in forms)
    return "\n".join(f"{name:<{width}}  {' '.join(form.description.split())}" for name, form in forms)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario's file.

    Raises:
        ScenarioInvalid: it cannot be read or used; each line names a place and a reason.
    """
    try:
        text = path.read_bytes()[: LARGEST_FILE + 1].decode("utf-8")
    except OSError as error:
        raise ScenarioInvalid(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioInvalid(f"{path} is not UTF-8") from None
    try:
        form = parse_scenario(text)
    except ScenarioInvalid as error:
        raise ScenarioInvalid("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return Scenario(form.name or path.stem, form, path.parent, digest)


def parse_scenario(text: str) -> ScenarioForm:
    """The text of a scenario, checked.

    Raises:
        ScenarioInvalid: up to five lines, each with a place and a reason.
    """
    if len(text) > LARGEST_FILE:
        raise ScenarioInvalid(f"line 1: a scenario has at most {LARGEST_FILE} characters")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
        return ScenarioForm.model_validate(value)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioInvalid(f"line {line}: not YAML: {error.problem or error.context}") from None
    except ValidationError as error:
        raise ScenarioInvalid("\n".join(told(error, root))) from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise ScenarioInvalid(f"line 1: not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ScenarioInvalid("line 1: nested too deep") from None


def told(error: ValidationError, root: Any) -> Iterator[str]:
    """The first reasons as lines of text."""
    for found in error.errors(include_url=False, include_input=False)[:MOST_ERRORS]:
        place = [part for part in found["loc"] if isinstance(part, int | str)]
        reason = found["msg"].removeprefix("Value error, ")
        line = f"line {line_of(root, place)}: {spelled(place) or 'the file'}: {reason}"
        yield " ".join(line.splitlines())  # a key may hold anything that ends a line, a vertical tab for one


def spelled(place: Sequence[int | str]) -> str:
    """A place in the file as people write it.

    >>> spelled(["events", 2, "fault", "kind"])
    'events[2].fault.kind'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def line_of(root: Any, place: Sequence[int | str]) -> int:
    """The line, from 1, of a place in a composed file: of the key itself where it is there, else of what is around."""
    node, line = root, 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
