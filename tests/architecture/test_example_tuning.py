"""rejoinder.example.toml holds every key of the tuning at its default, each explained."""

import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from resources.settings import Settings
from resources.tuning import Stages, Tuning, load_tuning

EXAMPLE = Path(__file__).resolve().parents[2] / "rejoinder.example.toml"
GIVEN = tomllib.loads(EXAMPLE.read_text("utf-8"))
LINES = EXAMPLE.read_text("utf-8").splitlines()
STAGES = Stages()
# Each key of any stage with what it means; the same words wherever it occurs.
STAGE_KEYS = {
    (key, field.description or "")
    for name in Stages.model_fields
    for key, field in type(getattr(STAGES, name)).model_fields.items()
}
# Sections whose keys the operator chooses.
FREE = [name for name, value in Tuning() if isinstance(value, dict)]
SECTIONS = [name for name in Tuning.model_fields if name != "stages" and name not in FREE]


def test_it_is_read_and_changes_nothing() -> None:
    assert load_tuning(Settings(config=EXAMPLE)) == Tuning()


def test_it_has_every_key() -> None:
    assert Tuning().model_dump(mode="json") == GIVEN


def test_one_changed_value_is_seen(tmp_path: Path) -> None:
    changed = tmp_path / "rejoinder.toml"
    changed.write_text(
        EXAMPLE.read_text("utf-8").replace("dense_weight = 0.5", "dense_weight = 0.4"), "utf-8"
    )
    assert load_tuning(Settings(config=changed)).retrieval.dense_weight == 0.4


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_explained_in_the_line_above(section: str) -> None:
    start = LINES.index(f"[{section}]")
    for name in GIVEN[section]:
        opening = (f"{name} = ", f"[{section}.{name}]")
        line = next(i for i, text in enumerate(LINES) if i > start and text.startswith(opening))
        description = type(getattr(Tuning(), section)).model_fields[name].description or ""
        assert LINES[line - 1].startswith(f"# {description}")


@pytest.mark.parametrize("section", FREE)
def test_a_section_of_free_keys_is_explained_above(section: str) -> None:
    description = Tuning.model_fields[section].description or ""
    assert LINES[LINES.index(f"[{section}]") - 1].startswith(f"# {description}")


@pytest.mark.parametrize(("name", "description"), sorted(STAGE_KEYS))
def test_every_key_of_a_step_is_explained_once(name: str, description: str) -> None:
    assert len([line for line in LINES if line.startswith(f"#   {name} ") and description in line]) == 1


def test_settings_keep_secrets_out_of_their_text() -> None:
    settings = Settings(database_url=SecretStr("postgresql://owner:hunter2@db/rejoinder"))
    assert "hunter2" not in repr(settings)
