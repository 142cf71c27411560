"""Everything a user can meet is in the docs: the names are collected from the code, none is skipped."""

import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rejoinder.posting import states
from rejoinder.review import moves
from resources.settings import Settings
from resources.tuning import Tuning

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rejoinder", "resources", "assets", "jobs", "sensors", "review_app", "api", "cli", "bench")
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
VARIABLE = re.compile(r"\bREJOINDER_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@cache
def docs() -> str:
    return "\n".join(page.read_text("utf-8") for page in PAGES)


@cache
def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def is_named(name: str, text: str) -> bool:
    """Whether the text has the name as code: `name`, alone or at the start of a longer command."""
    return re.search(rf"`{re.escape(name)}(?=[ `=\[])", text) is not None


@cache
def repository() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster warns of its own beta parameters when a sensor is made
        from jobs.definitions import defs

        return defs.get_repository_def()


def asset_names() -> list[str]:
    return sorted(key.to_user_string() for key in repository().asset_graph.get_all_asset_keys())


def check_names() -> list[str]:
    return sorted(key.name for key in repository().asset_graph.asset_check_keys)


def job_names() -> list[str]:
    return sorted(name for name in repository().job_names if not name.startswith("__"))


def sensor_names() -> list[str]:
    return sorted(sensor.name for sensor in repository().sensor_defs)


def schedule_names() -> list[str]:
    return sorted(schedule.name for schedule in repository().schedule_defs)


def setting_names() -> list[str]:
    return sorted(f"REJOINDER_{name.upper()}" for name in Settings.model_fields)


def variables_in_code() -> list[str]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted({name for path in files for name in VARIABLE.findall(path.read_text("utf-8"))})


def tuning_keys(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Dotted keys of rejoinder.toml, the stages by their own names."""
    for name, value in model.model_fields.items():
        if name == "stages":
            continue
        section = value.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from tuning_keys(section, f"{at}{name}.")
        else:
            yield f"{at}{name}"


def stage_keys() -> list[str]:
    stages = Tuning().stages.model_dump()
    return [
        *(f"stages.{name}" for name in stages),
        *sorted({key for keys in stages.values() for key in keys}),
    ]


def command_names() -> list[str]:
    """Every command as it is typed, `rejoinder review show` included."""
    import typer

    from cli.app import build_app

    def walk(command: object, typed: str) -> Iterator[str]:
        children = getattr(command, "commands", {})
        if not children:
            yield typed
        for name, child in children.items():
            yield from walk(child, f"{typed} {name}")

    return sorted(walk(typer.main.get_command(build_app()), "rejoinder"))


def undocumented(names: list[str], text: str) -> list[str]:
    assert names, "nothing was collected: the test would prove nothing"
    return [name for name in names if not is_named(name, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the `posts` are", True),
        ("the posts are", False),
        ("`posts_due`", False),
        ("`rejoinder run [STAGE]`", False),
    ],
)
def test_a_name_counts_only_as_code(text: str, expected: bool) -> None:
    assert is_named("posts", text) is expected


def test_every_asset_is_documented() -> None:
    assert undocumented(asset_names(), page("pipeline.md")) == []


def test_every_asset_check_is_documented() -> None:
    assert undocumented(check_names(), page("pipeline.md")) == []


def test_every_job_is_documented() -> None:
    assert undocumented(job_names(), page("pipeline.md")) == []


def test_every_sensor_is_documented() -> None:
    assert undocumented(sensor_names(), page("pipeline.md")) == []


def test_every_schedule_is_documented() -> None:
    assert undocumented(schedule_names(), page("pipeline.md")) == []


def test_every_sensor_schedule_and_job_says_what_it_is_for() -> None:
    found = repository()
    jobs = [found.get_job(name) for name in job_names()]
    assert [
        one.name for one in (*found.sensor_defs, *found.schedule_defs, *jobs) if not one.description
    ] == []


def test_every_setting_is_documented() -> None:
    assert undocumented(setting_names(), page("configuration.md")) == []


def test_every_variable_that_the_code_names_is_documented() -> None:
    assert undocumented(variables_in_code(), docs()) == []


def test_every_key_of_the_tuning_file_is_documented() -> None:
    assert undocumented([*tuning_keys(Tuning), *stage_keys()], page("configuration.md")) == []


def test_every_command_is_documented() -> None:
    assert undocumented(command_names(), page("commands.md")) == []


def test_no_command_is_documented_that_does_not_exist() -> None:
    documented = set(
        re.findall(r"^\| `(rejoinder [a-z -]+?)(?= [\[A-Z-]|`)", page("commands.md"), re.MULTILINE)
    )
    assert documented - set(command_names()) == set()


def test_every_state_is_documented() -> None:
    statuses = sorted({place.status for place in moves.PLACES})
    stages = sorted({place.stage for place in moves.PLACES})
    assert undocumented([*statuses, *stages, *states.STATES], docs()) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = LINK.findall(path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []
