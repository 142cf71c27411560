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
digits of the SHA-256 of the file's bytes.
"""

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file.

    reply names the shape of the answer. variables are all that the body uses. fenced is the one variable
    that carries untrusted text, None where there is none. sections keeps the body's parts in order.
    """

    name: str
    version: str
    reply: str
    variables: tuple[str, ...]
    fenced: str | None
    sections: tuple[tuple[str, str], ...]

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
    """A filled prompt, ready for a model; untrusted text is in ``user`` only."""

    system: str
    user: str
    prompt_version: str


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
    prompt = Prompt(name, version, front["reply"], variables, front.get("fenced"), sections)
    _check(prompt)
    return prompt


def render(prompt: Prompt, **variables: str) -> Rendered:
    """Fill a prompt's ``system`` and ``user`` sections.

    Values are put in as they are and never read as templates. The fenced value stands between two lines
    with a token that does not occur in it, so nothing inside can close the fence.

    Raises:
        ConfigInvalid: a variable is missing or unknown, each by name.
    """
    missing = sorted(set(prompt.variables) - set(variables))
    unknown = sorted(set(variables) - set(prompt.variables))
    if missing or unknown:
        raise ConfigInvalid(f"prompt {prompt.name}: missing variables {missing}, unknown variables {unknown}")
    values = dict(variables)
    if prompt.fenced:
        values[prompt.fenced] = fence(values[prompt.fenced])
    system, user = (
        VARIABLE.sub(lambda found: values[found[1]], prompt.section(name)) for name in ("system", "user")
    )
    return Rendered(system, user, prompt.version)


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
