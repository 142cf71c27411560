"""Prompt files as data: loading, checking and filling them.

What belongs here: the file format and the rule that untrusted text enters a prompt in one place only.

A file ``<task>.v<N>.md`` has front matter between two ``---`` lines and a body of ``## name`` sections::

    ---
    reply: Reply
    variables: [limit, material]
    fenced: material
    ---
    ## system
    Answer in at most {{limit}} characters.
    ## user
    {{material}}

A changed prompt is a new file, so an old answer stays explainable: its prompt_version is the first 12 hex
digits of the SHA-256 of the file's bytes, followed by its demonstrations where it has any.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import sha256_hex

FOLDER = Path(__file__).parent
KEYS = {"reply", "variables", "fenced"}
VARIABLE = re.compile(r"\{\{(\w+)\}\}")
FILE = re.compile(r"---\n(?P<front>.*?)\n---\n(?P<body>.*)", re.DOTALL)
SECTION = re.compile(r"^## (\S+)\n", re.MULTILINE)
# A line of somebody's text that would open a section of the file.
HEADING = re.compile(r"^## (?=\S+$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Demo:
    """One demonstration: what stood inside the fence, and the answer to it (JSON where the prompt asks for JSON)."""

    material: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file.

    reply names the shape of the answer. variables are all that the body uses. fenced is the one variable
    that carries untrusted text, None where there is none. sections keeps the body's parts in order. data is
    the file itself; demos are shown to the model as earlier turns.
    """

    name: str
    version: str
    reply: str
    variables: tuple[str, ...]
    fenced: str | None
    sections: tuple[tuple[str, str], ...]
    data: bytes = field(default=b"", repr=False)
    demos: tuple[Demo, ...] = ()

    def section(self, name: str) -> str:
        """The text of one section.

        Raises:
            ConfigInvalid: the file has no such section.
        """
        for found, text in self.sections:
            if found == name:
                return text
        raise ConfigInvalid(f"prompt {self.name}: no section {name!r}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A filled prompt, ready for a model; untrusted text is in ``user`` and in the demonstrations' turns only.

    demos are pairs of what was asked and what was answered, to be sent before ``user``.
    """

    system: str
    user: str
    prompt_version: str
    demos: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=64)
def load_prompt(task: str, version: int) -> Prompt:
    """Load ``<task>.v<version>.md`` from this package.

    Raises:
        ConfigInvalid: there is no such file, or it breaks the format.

    >>> load_prompt("reply", 1).fenced
    'material'
    """
    path = FOLDER / f"{task}.v{version}.md"
    if not re.fullmatch(r"\w+", task) or not path.is_file():
        raise ConfigInvalid(f"no prompt {task!r} of version {version}")
    return parse_prompt(path.stem, path.read_bytes())


def parse_prompt(name: str, data: bytes) -> Prompt:
    """Read one prompt file.

    Raises:
        ConfigInvalid: what is wrong with it, by the file's name.
    """
    text = data.decode("utf-8").replace("\r\n", "\n")
    found = FILE.fullmatch(text)
    if found is None:
        raise ConfigInvalid(f"prompt {name}: it must open with front matter between two --- lines")
    front = _front_matter(name, found["front"])
    variables = tuple(re.findall(r"\w+", front["variables"]))
    parts = SECTION.split(found["body"])[1:]
    sections = tuple((key, part.strip()) for key, part in zip(parts[::2], parts[1::2], strict=True))
    version = sha256(data).hexdigest()[:12]
    prompt = Prompt(name, version, front["reply"], variables, front.get("fenced"), sections, data)
    _check(prompt)
    return prompt


def with_demos(prompt: Prompt, demos: Sequence[Demo]) -> Prompt:
    """The prompt with these demonstrations instead of its own, and the version that they make.

    Raises:
        ConfigInvalid: nothing of the prompt is fenced, so a demonstration has no place.
    """
    if demos and prompt.fenced is None:
        raise ConfigInvalid(f"prompt {prompt.name}: demonstrations need a fenced variable")
    shown = tuple(Demo(demo.material, _one_spelling(demo.answer)) for demo in demos)
    version = sha256(prompt.data + (dump_demos(shown).encode() if shown else b"")).hexdigest()[:12]
    return replace(prompt, version=version, demos=shown)


def with_system(prompt: Prompt, system: str) -> Prompt:
    """The prompt as a new file with another ``system`` section; its demonstrations stay.

    A line of the text that would open a section becomes a heading one level lower. A trusted variable may be left
    out, none may be added.

    Raises:
        ConfigInvalid: the text is empty or uses a variable that the prompt does not have, or the fenced one.
    """
    text = HEADING.sub("### ", system.strip())
    if not text:
        raise ConfigInvalid(f"prompt {prompt.name}: the system section is empty")
    sections = [(name, text if name == "system" else old) for name, old in prompt.sections]
    used = {found for _, body in sections for found in VARIABLE.findall(body)}
    if unknown := sorted(used - set(prompt.variables)):
        raise ConfigInvalid(f"prompt {prompt.name}: unknown variables {unknown}")
    front = [
        f"reply: {prompt.reply}",
        f"variables: [{', '.join(name for name in prompt.variables if name in used)}]",
    ]
    front += [f"fenced: {prompt.fenced}"] if prompt.fenced else []
    body = "\n".join(f"## {name}\n{part}" for name, part in sections)
    file = "\n".join(["---", *front, "---", body, ""])
    return with_demos(parse_prompt(prompt.name, file.encode()), prompt.demos)


def dump_demos(demos: Sequence[Demo]) -> str:
    """Demonstrations as canonical JSON, a list of objects with material and answer; `read_demos` reads it.

    >>> dump_demos([Demo("a post", "{}")])
    '[{"answer":"{}","material":"a post"}]'
    """
    rows = [{"material": demo.material, "answer": demo.answer} for demo in demos]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_demos(text: str) -> tuple[Demo, ...]:
    """Read demonstrations from JSON.

    Raises:
        ConfigInvalid: it is no list of objects with just the texts material and answer.
    """
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise ConfigInvalid(f"demonstrations cannot be read: {error}") from None
    if not isinstance(rows, list) or not all(_is_demo(row) for row in rows):
        raise ConfigInvalid(
            "demonstrations cannot be read: a list of objects with the texts material and answer"
        )
    return tuple(Demo(**row) for row in rows)


def _is_demo(row: object) -> bool:
    if not isinstance(row, dict) or set(row) != {"material", "answer"}:
        return False
    return all(isinstance(part, str) for part in row.values())


def _one_spelling(answer: str) -> str:
    """JSON with spaces in the usual places, so that spacing makes no new version; other text as it is."""
    try:
        return json.dumps(json.loads(answer), ensure_ascii=False)
    except ValueError:
        return answer


def render(prompt: Prompt, **variables: str) -> Rendered:
    """Fill a prompt's ``system`` and ``user`` sections.

    Values are put in as they are and never read as templates. The fenced value stands between two lines
    with a token that does not occur in it, so nothing inside can close the fence; so does that of each
    demonstration.

    Raises:
        ConfigInvalid: a variable is missing or unknown, each by name.
    """
    missing = sorted(set(prompt.variables) - set(variables))
    unknown = sorted(set(variables) - set(prompt.variables))
    if missing or unknown:
        raise ConfigInvalid(f"prompt {prompt.name}: missing variables {missing}, unknown variables {unknown}")
    fenced = prompt.fenced or ""
    user = prompt.section("user")
    demos = tuple(
        (_filled(user, fenced, {**variables, fenced: demo.material}), demo.answer) for demo in prompt.demos
    )
    system = _filled(prompt.section("system"), fenced, variables)
    return Rendered(system, _filled(user, fenced, variables), prompt.version, demos)


def _filled(template: str, fenced: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(
        lambda found: fence(values[found[1]]) if found[1] == fenced else values[found[1]], template
    )


def fence(text: str) -> str:
    """Put untrusted text between two lines with a token that the text does not hold.

    The token comes from the text itself, so the same text is fenced the same way and caches work.

    >>> print(fence("hi"))
    <<<DATA 8f434346
    hi
    DATA 8f434346>>>
    """
    token, salt = sha256_hex(text)[:8], 0
    while token in text:
        salt += 1
        token = sha256_hex(f"{salt}:{text}")[:8]
    return f"<<<DATA {token}\n{text}\nDATA {token}>>>"


def _front_matter(name: str, front: str) -> dict[str, str]:
    pairs = dict(re.findall(r"^(\w+): *(.*?) *$", front, re.MULTILINE))
    if len(pairs) != len(front.splitlines()) or not {"reply", "variables"} <= set(pairs) <= KEYS:
        raise ConfigInvalid(
            f"prompt {name}: front matter needs reply and variables, may have fenced, no more"
        )
    return pairs


def _check(prompt: Prompt) -> None:
    used = {found for _, text in prompt.sections for found in VARIABLE.findall(text)}
    if used != set(prompt.variables):
        raise ConfigInvalid(f"prompt {prompt.name}: declares {sorted(prompt.variables)}, uses {sorted(used)}")
    if prompt.fenced is None:
        return
    places = [
        name for name, text in prompt.sections for key in VARIABLE.findall(text) if key == prompt.fenced
    ]
    if places != ["user"]:
        raise ConfigInvalid(f"prompt {prompt.name}: {prompt.fenced!r} must stand once, in the user section")
