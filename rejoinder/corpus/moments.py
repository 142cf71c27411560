"""Addresses that open where something was said: at the second of a player, or at the words of a page.

What belongs here: which form each kind of address takes, with where that form was read. No form is guessed: what is
not known to take a time gets one where it cannot do harm, in the fragment, which no server ever sees. The table stands
in docs/links.md too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import SplitResult, quote, urlsplit

import regex

from rejoinder.corpus.references import timestamp
from rejoinder.errors import ConfigInvalid
from rejoinder.text.word_lists import word_set

Place = Literal["query", "fragment", "path", "nowhere"]
DIRECTIVE = ":~:text="
# Beyond it an address is more text than link.
LONGEST_ADDRESS = 400
# So many words at either end of a quote find it, whatever a page has between.
EDGE_WORDS = 4
MEDIA = word_set(".aac .flac .m4a .m4b .m4v .mka .mkv .mov .mp3 .mp4 .oga .ogg .ogv .opus .wav .webm")
# What may stand in an address as it is (RFC 3986, section 2), and an escape that stands there already.
ADDRESS_CHARS = "%:/?#[]@!$&'()*+,;=|"
# What a browser shows, but not as a page whose words it could look for.
NO_PAGES = frozenset({".pdf", ".epub", ".docx", ".zip"})
# How the operator names the form of a player of their own.
TEMPLATE = regex.compile(
    r"\{url\}(?:(?P<mark>[?#])(?P<key>[A-Za-z_][\w.-]{0,31})=|/)(?:\{(?P<as>seconds|clock|units)\}(?P<unit>s?))"
)
TEMPLATE_FIX = (
    "Write it as {url}?t={seconds}, {url}#t={seconds} or {url}/{seconds}; in the place of {seconds} may stand "
    "{seconds}s, {clock} (1:02:03) or {units} (1h2m3s)."
)
_PAIRS = regex.compile(r"[A-Za-z_][\w.-]*=[^&]*(?:&[A-Za-z_][\w.-]*=[^&]*)*")


def _seconds(second: int) -> str:
    return str(second)


def _with_unit(second: int) -> str:
    return f"{second}s"


def _long(second: int) -> str:
    return f"{second // 3600}h{second // 60 % 60}m{second % 60}s"


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of address names a second: where, under which key, written how, and where that was read.

    hosts: the whole host, or what follows the dot of a host under it; none: any host. path: what the path begins with.
    """

    name: str
    hosts: tuple[str, ...]
    path: str
    place: Place
    key: str
    written: Callable[[int], str]
    source: str

    def fits(self, parts: SplitResult) -> bool:
        """Whether the address is of this kind."""
        host = (parts.hostname or "").lower()
        is_host = not self.hosts or any(host == one or host.endswith(f".{one}") for one in self.hosts)
        return is_host and regex.match(self.path, parts.path) is not None


MEDIA_FRAGMENT = Form(
    "an audio or video file", (), "", "fragment", "t", _seconds, "w3.org/TR/media-frags, section 4.2.1"
)
ANY_PAGE = Form(
    "any other page",
    (),
    "",
    "fragment",
    "t",
    _seconds,
    "chosen here: players such as Podigee's read it (github.com/podigee/podigee-podcast-player issue 5, 2016-03), "
    "other pages open at their top (RFC 3986, section 3.5)",
)
# Sources were read in 2026-11; a date is that of what was read. Where a vendor documents nothing, it is what its own
# share button made, as others reported it.
FORMS = (
    Form(
        "YouTube Shorts", ("youtube.com",), "/shorts/", "nowhere", "", _seconds,
        "YouTube drops it: github.com/ynshung/better-yt-shorts issues 155 (2023-10) and 271 (2025-02)",
    ),
    Form(
        "YouTube player", ("youtube.com", "youtube-nocookie.com"), "/embed/", "query", "start", _seconds,
        "developers.google.com/youtube/player_parameters",
    ),
    Form(
        "YouTube", ("youtube.com",), "/(?:watch$|live/.|v/.)", "query", "t", _with_unit,
        "seconds with or without the s, no fraction, no fragment: github.com/tabview-youtube/Tabview-Youtube issue 28 "
        "(2024-01), github.com/aidenlx/media-extended issue 190 (2024-01); /live/ as its share button makes it: "
        "github.com/pulumi/pulumi-hugo issue 3110 (2023-06)",
    ),
    Form(
        "YouTube, short", ("youtu.be",), "/.", "query", "t", _with_unit,
        "as its share button makes it, after si: github.com/bluesky-social/social-app issue 3943 (2024-05)",
    ),
    Form(
        "YouTube, no video", ("youtube.com",), "", "nowhere", "", _seconds, "a channel or a list has no second"
    ),
    Form(
        "Vimeo", ("vimeo.com",), "/.", "fragment", "t", _with_unit,
        "announced in vimeo.com/forums/topic:49396, as github.com/senchalabs/jsduck issue 562 (2014-05) has it; "
        "read so by github.com/Zod-/jsVideoUrlParser (wiki, 2020-09)",
    ),
    Form(
        "Dailymotion", ("dailymotion.com", "dai.ly"), "/(?:(?:embed/)?video/)?.", "query", "start", _seconds,
        "read so by github.com/Zod-/jsVideoUrlParser (wiki, 2019-07)",
    ),
    Form(
        "Spotify", ("open.spotify.com",), "/(?:intl-[a-z]+/)?(?:embed/)?episode/", "query", "t", _seconds,
        "that episodes open at a second: podcastmovement.com/podmov (2021-05-11); the key, in seconds: what public "
        "code writes for its player, no document of Spotify's was found",
    ),
    Form(
        "SoundCloud", ("soundcloud.com",), "/.", "fragment", "t", timestamp,
        "as its share button makes it: github.com/voronianski/soundcloud-audio.js issue 5 (2016-02)",
    ),
    Form(
        "Apple Podcasts", ("podcasts.apple.com",), "", "nowhere", "", _seconds,
        "none is documented; the timed links of iOS 26.2 (2025-11) lead out of an episode, not into it",
    ),
    Form(
        "Pocket Casts", ("pca.st", "pocketcasts.com"), "/.", "query", "t", _seconds,
        "github.com/Automattic/pocket-casts-ios pull requests 1502 (2024-03) and 3937 (2026-02)",
    ),
    Form(
        "Overcast", ("overcast.fm",), r"/\+[\w-]+", "path", "", timestamp,
        "as its share button makes it, such as overcast.fm/+CdSv9LfI/1:27:57 in a public text of 2016",
    ),
    Form(
        "Fireside", ("fireside.fm",), "/.", "query", "t", _seconds,
        "github.com/firesidelabs/fireside issue 47 (2016-10)",
    ),
    Form(
        "Twitch", ("twitch.tv",), "/videos/", "query", "t", _long, "dev.twitch.tv/docs/embed/video-and-clips"
    ),
)  # fmt: skip


def own_forms(players: Mapping[str, str]) -> tuple[Form, ...]:
    """The forms of players of one's own, by host; the longest host first, so that one under another is met first.

    Raises:
        ConfigInvalid: a template is not of a form that can be read back.

    >>> form, = own_forms({"play.example": "{url}?start={seconds}s"})
    >>> link_at_second("https://play.example/1?a=b#notes", 75.9, (form,))
    'https://play.example/1?a=b&start=75s#notes'
    """
    return tuple(_own_form(host, players[host]) for host in sorted(players, key=len, reverse=True))


def _own_form(host: str, template: str) -> Form:
    found = TEMPLATE.fullmatch(template)
    if found is None or (found["unit"] and found["as"] != "seconds"):
        raise ConfigInvalid(
            f"{host}: {template!r} does not say how its player names a second.", fix=TEMPLATE_FIX
        )
    places: dict[str | None, Place] = {"?": "query", "#": "fragment", None: "path"}
    written = (
        _with_unit
        if found["unit"]
        else {"seconds": _seconds, "clock": timestamp, "units": _long}[found["as"]]
    )
    return Form(host, (host,), "", places[found["mark"]], found["key"] or "", written, "rejoinder.toml")


def link_at_second(url: str | None, seconds: float | None, own: Sequence[Form] = ()) -> str | None:
    """The address with the second as its player reads it; None where it is no web address.

    Everything else about the address stays as it was, character by character, but for characters that no address has:
    they are escaped, or X would end the link before them. An address that names a place of its own
    (``#notes``) is left alone where the second would have to replace it.

    Args:
        url: of the source.
        seconds: from the beginning, fractions dropped; None leaves the address as it is.
        own: forms of players of one's own, which go before those that are known (`own_forms`).

    >>> link_at_second("https://youtu.be/abc?si=1", 75.9)
    'https://youtu.be/abc?si=1&t=75s'
    >>> link_at_second("https://example.com/show/1?a=b", 75.9)
    'https://example.com/show/1?a=b#t=75'
    """
    parts = web_address(url)
    if parts is None:
        return None
    if seconds is None:
        return parts.geturl()
    form = form_of(parts, own)
    return _timed(parts, form, form.written(max(0, int(seconds)))).geturl()


def link_at_words(url: str | None, words: str) -> str | None:
    """The address of a page with a text fragment that finds the words; unchanged where that cannot be or is too long.

    Source: WICG, URL Fragment Text Directives (wicg.github.io/scroll-to-text-fragment): ``start,end``, both
    percent-encoded, with ``-``, ``&`` and ``,`` among what is encoded. A browser that does not know it, or a page
    without the words, opens at the top.

    >>> link_at_words("https://example.com/a", "Turn the heap, then water it - twice.")
    'https://example.com/a#:~:text=Turn%20the%20heap%2C%20then%20water%20it%20%2D%20twice.'
    >>> link_at_words("https://example.com/a#b", "one two three four five six seven eight nine")
    'https://example.com/a#b:~:text=one%20two%20three%20four,six%20seven%20eight%20nine'
    """
    parts = web_address(url)
    if parts is None:
        return None
    suffix = PurePosixPath(parts.path).suffix.lower()
    if form_of(parts) is not ANY_PAGE or suffix in NO_PAGES or not words.split():
        return parts.geturl()
    anchor = parts.fragment.partition(":~:")[0]
    found = _with_path(parts)._replace(fragment=f"{anchor}{DIRECTIVE}{_directive(words)}").geturl()
    return found if len(found) <= LONGEST_ADDRESS else parts.geturl()


def web_address(url: str | None) -> SplitResult | None:
    """The parts of an address of the web, escaped where it has to be (RFC 3987, section 3.1); None where it is none.

    >>> web_address("https://ja.example/wiki/日本").geturl()
    'https://ja.example/wiki/%E6%97%A5%E6%9C%AC'
    """
    try:
        parts = urlsplit((url or "").strip())
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    if not is_web or regex.search(r"[\s\p{C}]", parts.geturl()):
        return None
    path, query, fragment = (quote(part, safe=ADDRESS_CHARS) for part in parts[2:])
    escaped = parts._replace(path=path, query=query, fragment=fragment)
    return _with_path(escaped) if fragment else escaped


def form_of(parts: SplitResult, own: Sequence[Form] = ()) -> Form:
    """The form that an address takes; own ones go first, but a file is a file wherever it lies."""
    if PurePosixPath(parts.path).suffix.lower() in MEDIA:
        return MEDIA_FRAGMENT
    return next((form for form in (*own, *FORMS) if form.fits(parts)), ANY_PAGE)


def _timed(parts: SplitResult, form: Form, value: str) -> SplitResult:
    if form.place == "query":
        # An older form of the same, which would now contradict it.
        fragment = "" if parts.fragment.startswith("t=") else parts.fragment
        return parts._replace(query=_set(parts.query, form.key, value), fragment=fragment)
    if form.place == "path":
        # What the form begins with is the recording; a path of one's own is that as a whole.
        named = regex.match(form.path, parts.path)
        before = named[0] if form.path and named else parts.path.rstrip("/")
        return parts._replace(path=f"{before}/{value}")
    is_place_of_its_own = bool(parts.fragment) and not _PAIRS.fullmatch(parts.fragment)
    if form.place == "nowhere" or is_place_of_its_own:
        return parts
    return _with_path(parts)._replace(fragment=_set(parts.fragment, form.key, value))


def _with_path(parts: SplitResult) -> SplitResult:
    # Without a path, X would end the link before the fragment.
    return parts if parts.path or parts.query else parts._replace(path="/")


def _set(pairs: str, key: str, value: str) -> str:
    """The pairs with this one last and no other of its name, the others as they were written."""
    kept = [pair for pair in pairs.split("&") if pair and pair.partition("=")[0] != key]
    return "&".join([*kept, f"{key}={value}"])


def _directive(words: str) -> str:
    found = words.split()
    if len(found) <= 2 * EDGE_WORDS:
        return _encoded(found)
    return f"{_encoded(found[:EDGE_WORDS])},{_encoded(found[-EDGE_WORDS:])}"


def _encoded(words: list[str]) -> str:
    return quote(" ".join(words), safe="").replace("-", "%2D").replace("~", "%7E")


def places() -> tuple[Form, ...]:
    """Every form, in the order in which they are tried."""
    return (MEDIA_FRAGMENT, *FORMS, ANY_PAGE)
