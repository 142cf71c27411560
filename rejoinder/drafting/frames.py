"""The frames of the extractive drafter, out of its prompt file.

What belongs here: reading frames, choosing one for a post, and the topic that post and quote share.
"""

import regex

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import sha256_hex
from rejoinder.listening.post import Platform
from rejoinder.prompts.loader import Prompt
from rejoinder.text.terms import STOP_WORDS

TOPIC_SLOT = "{{topic}}"
NAME = regex.compile(
    r"(?<=[\p{L}\p{N},;] )(?:\p{Lu}[\p{L}\p{N}+#.]*[\p{L}\p{N}+#]|[\p{Lu}\p{N}]{2,})(?: \p{Lu}[\p{L}\p{N}+#]+)*"
)
TOO_PLAIN = STOP_WORDS | {"i'm", "i've", "i'll", "i'd", "okay", "yeah", "ok"}


def frames(prompt: Prompt, strategy: str, platform: Platform) -> tuple[str, ...]:
    """The frames of one strategy for one platform, in file order.

    Raises:
        ConfigInvalid: the file has none, or a frame lacks the quote or the source.
    """
    # On a platform of another package a reply reads as on Reddit.
    name = f"{strategy}.{platform if platform in ('x', 'reddit') else 'reddit'}"
    lines = [
        line[2:].replace("\\n", "\n") for line in prompt.section(name).splitlines() if line.startswith("- ")
    ]
    broken = [line for line in lines if "{{quote}}" not in line or "{{source}}" not in line]
    if broken or not lines:
        raise ConfigInvalid(f"prompt {prompt.name}, {name}: each frame needs quote and source: {broken}")
    return tuple(lines)


def all_frames(prompt: Prompt) -> tuple[str, ...]:
    """Every frame of the file, in file order."""
    names = (name.rpartition(".") for name, _ in prompt.sections)
    platforms: dict[str, Platform] = {"x": "x", "reddit": "reddit"}
    return tuple(f for strategy, _, place in names for f in frames(prompt, strategy, platforms[place]))


def choose_frame(found: tuple[str, ...], *, key: str, topic: str | None) -> str:
    """One frame for a post: by hash of the key, so the same post gets the same words.

    Frames that name the topic go first where there is one, and are left out where there is none.
    """
    with_topic = tuple(frame for frame in found if TOPIC_SLOT in frame)
    fitting = (
        with_topic if topic and with_topic else tuple(frame for frame in found if TOPIC_SLOT not in frame)
    )
    return fitting[int(sha256_hex(key)[:8], 16) % len(fitting)]


def shared_topic(post_text: str, quote: str, source_title: str = "") -> str | None:
    """A proper name that post and quote both use, as the quote writes it; the longest, then the first.

    Only names, because "On time:" or "On use:" reads like a machine; only words of the quote, so that
    nothing of the post's own wording gets into a reply; no name in the source's title, which says it already.

    >>> shared_topic("Is the GIL gone?", "Removing the GIL took years.")
    'the GIL'
    """
    heard, title = f" {' '.join(_words(post_text))} ", f" {' '.join(_words(source_title))} "
    names = [found[0].rstrip(".") for found in NAME.finditer(quote)]
    keys = {name: f" {' '.join(_words(name))} " for name in names if name.lower() not in TOO_PLAIN}
    shared = [name for name, key in keys.items() if key in heard and key not in title]
    if not shared:
        return None
    topic = max(shared, key=len)
    # "the GIL", but "PyCharm" even after "the PyCharm style".
    has_article = topic.isupper() and f" the {topic} " in f" {quote[:1].lower()}{quote[1:]} "
    return f"the {topic}" if has_article else topic


def _words(text: str) -> list[str]:
    return regex.findall(r"[\p{L}\p{N}+#]+", text.lower())
