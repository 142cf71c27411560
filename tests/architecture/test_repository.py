"""What the repository as a whole promises: nothing of one machine in it, pinned packages, headed modules."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rejoinder", "resources", "assets", "jobs", "sensors", "review_app", "api", "cli", "bench")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
BINARY = {".png", ".ico", ".parquet"}

# Written in pieces, so that this file does not hold what it looks for.
FOREIGN = {
    "the host of a package registry": "py" + r"pi\.org|python" + "hosted|registry.npm" + "js|npm" + "mirror",
    "a path of one machine": r"(?<![\w./~])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)/\w",
    "work left open": r"\b(?:TO" + "DO|FIX" + "ME|X" + "XX|HA" + r"CK)\b",
}


def tracked() -> list[Path]:
    """Every file under version control that is text."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FOREIGN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("the host of a package registry", "https://" + "pypi" + ".org/simple"),
        ("a path of one machine", "see /" + "work/main"),
        ("a path of one machine", "'/" + "home/ann/data'"),
        ("work left open", "# TO" + "DO: later"),
    ],
)
def test_what_is_looked_for_would_be_found(what: str, text: str) -> None:
    assert re.search(FOREIGN[what], text)


def test_the_lock_pins_every_package_by_hash() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK[re.search(r"^[a-z0-9]", LOCK, re.MULTILINE).start() :])
    unpinned = [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    assert len(entries) > 100
    assert unpinned == []


def test_the_lock_names_no_address() -> None:
    assert [
        line
        for line in LOCK.splitlines()
        if "://" in line or ("--index" in line and not line.startswith("#"))
    ] == []


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name, maxsplit=1)[0]).lower()


def requirements() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [line for lines in (PROJECT["project"]["dependencies"], *extras) for line in lines]


def declared() -> set[str]:
    """Every distribution that pyproject.toml asks for."""
    return {canonical(line) for line in requirements()}


def declared_by_extra() -> set[str]:
    """What an extra brings that is named after it: psycopg[pool] is psycopg-pool."""
    found = set()
    for line in requirements():
        extras = re.search(r"\[(.+)\]", line)
        found |= {f"{canonical(line)}-{extra.strip()}" for extra in extras[1].split(",")} if extras else set()
    return found


def test_the_lock_has_every_declared_package() -> None:
    locked = {canonical(line) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)}
    assert declared() - locked == set()


def top_level_imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_what_the_code_imports_is_declared() -> None:
    distributions = packages_distributions()
    imported = set().union(*(top_level_imports(path) for path in MODULES))
    third_party = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    known = declared() | declared_by_extra()
    undeclared = {n for n in third_party if not {canonical(d) for d in distributions.get(n, [n])} & known}
    assert undeclared == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_belongs_in_it(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert len(ast.get_docstring(tree) or "") >= 10
    if path.name == "__init__.py":
        assert len(tree.body) == 1


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if path == ROOT / "resources" / "settings.py":
        return
    reads = [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in {"environ", "environb", "getenv", "putenv"}
    ]
    assert reads == []


def test_every_example_in_a_docstring_is_run() -> None:
    settings = PROJECT["tool"]["pytest"]["ini_options"]
    assert "--doctest-modules" in settings["addopts"]
    assert set(PACKAGES) <= set(settings["testpaths"])
    # pytest looks for examples in every module but these.
    assert [path for path in MODULES if path.name == "__main__.py" and ">>>" in path.read_text("utf-8")] == []


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_the_changelog_keeps_the_known_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert text.startswith("# Changelog\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert [h for h in headings[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", h)] == []
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_dependency_record_has_a_row_for_every_package_asked_for() -> None:
    text = (ROOT / "docs" / "adr" / "0010-dependencies.md").read_text("utf-8")
    rows = {canonical(name) for name in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)}
    assert rows == declared()


ADRS = sorted((ROOT / "docs" / "adr").glob("0*.md"))


@pytest.mark.parametrize("path", ADRS, ids=lambda p: p.name)
def test_a_decision_record_has_its_four_parts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.match(r"# \d+\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[:4] == [
        "Status",
        "Context",
        "Decision",
        "Consequences",
    ]


def test_decision_records_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))


def clock_readings(body: list[ast.stmt]) -> list[int]:
    """Lines that take the time when the file is read; what a function does later is not among them."""
    later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    lines, todo = [], list[ast.AST](body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            lines += [node.lineno] if node.func.attr in {"now", "utcnow", "today", "time"} else []
        todo += getattr(node, "decorator_list", []) if isinstance(node, later) else ast.iter_child_nodes(node)
    return lines


def test_no_test_takes_the_time_when_its_file_is_read() -> None:
    """Files are read when the run starts; a test may begin half an hour later."""
    files = [path for path in (ROOT / "tests").rglob("*.py")]
    read = {path.name: clock_readings(ast.parse(path.read_text("utf-8")).body) for path in files}
    assert {name: lines for name, lines in read.items() if lines} == {}
    assert clock_readings(ast.parse("A = datetime.now(UTC)\nclass B:\n    at = time.time()").body) == [3, 1]
