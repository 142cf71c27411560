"""Names of modules: none hides another, none says nothing."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rejoinder", "resources", "assets", "jobs", "sensors", "review_app", "api", "cli", "bench")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# Streamlit puts the folder of its script first on the path: there a file named like a standard module hides it.
SCRIPT_FOLDERS = [ROOT / "review_app"]
SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc"}


def test_modules_were_found() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("folder", SCRIPT_FOLDERS, ids=lambda p: p.name)
def test_no_page_hides_a_standard_module(folder: Path) -> None:
    names = {path.stem for path in folder.glob("*.py")} | {
        path.name for path in folder.iterdir() if path.is_dir()
    }
    assert names & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("folder", SCRIPT_FOLDERS, ids=lambda p: p.name)
def test_no_page_hides_one_of_our_packages_or_an_installed_one(folder: Path) -> None:
    names = {path.stem for path in folder.iterdir() if not path.name.startswith(("_", "."))}
    assert names & set(PACKAGES) == set()
    assert {name for name in names if importlib.util.find_spec(name)} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_ours_and_not_one_of_the_same_name(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT / package)


def test_mlflow_is_the_installed_one_though_a_folder_has_its_name() -> None:
    spec = importlib.util.find_spec("mlflow")
    assert spec is not None
    assert spec.origin is not None
    assert "site-packages" in Path(spec.origin).parts


def test_the_folder_mlflow_holds_no_python() -> None:
    assert list((ROOT / "mlflow").rglob("*.py")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_name_says_what_belongs_there(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    words = {word for part in parts for word in part.strip("_").split("_")}
    assert words & SAY_NOTHING == set()


def test_a_package_says_so() -> None:
    folders = {path.parent for path in MODULES}
    assert [
        str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()
    ] == []
