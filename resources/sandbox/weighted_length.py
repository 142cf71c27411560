"""X's length of a post: twitter-text, configuration v3 (280, scale 100, emoji count as one).

Written anew from the published rules, apart from the product's own counter, so that one can
find the other's mistakes. Source: github.com/twitter/twitter-text, config/v3.json.
"""

import unicodedata

import regex

LIMIT = 280
URL_WEIGHT = 23
LIGHT_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
LONGEST_LABEL = 63
LONGEST_HOST = 253

EMOJI = regex.compile(
    r"\p{RI}\p{RI}"
    r"|[0-9#*]\uFE0F?\u20E3"
    r"|(?:\p{Emoji_Presentation}|[\p{Extended_Pictographic}--[\u00A9\u00AE\u2122]])(?:\uFE0F|\p{EMod})?"
    r"(?:[\U000E0020-\U000E007E]+\U000E007F)?"
    r"(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{EMod})?)*",
    regex.VERSION1,
)
LABEL = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?"
LATIN_LABEL = r"[\p{Latin}0-9](?:[\p{Latin}0-9_-]*[\p{Latin}0-9])?"
# Names that make a link without http://; the rest of the longer names is rare in replies.
GENERIC = "com org net edu gov mil int info biz name pro app dev blog news online site store tech wiki xyz"
COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt "
    "bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er "
    "es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr "
    "ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk "
    "lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf "
    "ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc "
    "sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv "
    "tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
NAMES = "|".join((GENERIC + " " + COUNTRIES).split())
# A path or query does not end in punctuation, so that the comma behind a link is counted as text.
PATH_END = r"(?:[\p{Latin}\p{Cyrillic}\p{N}+=_#/-]|\([^\s()]*\))"
PATH = rf"/(?:[^\s\u2000-\u206F\u3000-\u30FF\u4E00-\u9FFF<>\"]*{PATH_END})?"
TAIL = rf"(?::[0-9]+)?(?:{PATH})?(?:\?[^\s<>\"]*[\p{{L}}\p{{N}}_&=#/-])?"
URL = regex.compile(
    rf"(?<![A-Za-z0-9@＠#＃$])(?:https?://(?<host>(?:{LABEL}\.)+\p{{L}}{{2,}}){TAIL}"
    rf"|(?<![_./-])(?<host>(?:{LATIN_LABEL}\.)+(?:{NAMES}))(?![A-Za-z0-9@+-]){TAIL})",
    regex.IGNORECASE,
)


def weighted_length(text: str) -> int:
    """Weighted length of a post; at most ``LIMIT`` may be sent.

    >>> weighted_length("Hi http://test.co")
    26
    >>> weighted_length("永")
    2
    """
    folded = unicodedata.normalize("NFC", text)
    total = position = 0
    for match in URL.finditer(folded):
        if is_host(match["host"]):
            total += plain_weight(folded[position : match.start()]) + URL_WEIGHT
            position = match.end()
    return total + plain_weight(folded[position:])


def is_host(host: str) -> bool:
    """Whether every label fits in the DNS once written in punycode."""
    try:
        encoded = [
            label.lower().encode("punycode") if not label.isascii() else label for label in host.split(".")
        ]
    except UnicodeError:
        return False
    lengths = [len(label) + (4 if isinstance(label, bytes) else 0) for label in encoded]
    return max(lengths) <= LONGEST_LABEL and sum(lengths) + len(lengths) - 1 <= LONGEST_HOST


def plain_weight(text: str) -> int:
    """Weight of text without links: an emoji sequence is 2, light characters 1, others 2."""
    emoji = EMOJI.findall(text)
    rest = EMOJI.sub("", text) if emoji else text
    return 2 * len(emoji) + sum(character_weight(ord(character)) for character in rest)


def character_weight(code: int) -> int:
    """1 inside the light ranges of the configuration, else 2."""
    return 1 if any(first <= code <= last for first, last in LIGHT_RANGES) else 2
