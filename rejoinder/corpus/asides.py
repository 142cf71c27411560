"""What is said in an episode besides its subject: greetings, sponsors, housekeeping, chatter, names."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import regex

from rejoinder.text.word_lists import word_set


class Names(NamedTuple):
    """Names that are no subject of an episode, case folded."""

    people: frozenset[str]
    sponsors: frozenset[str]
    shows: frozenset[str]


# Words that carry speech along and say nothing of its subject. Function words are not here.
CHATTER = word_set(
    "yeah yep yes yup nope okay ok oh ah uh um hmm mm hey hi hello wow cool nice awesome great good better best "
    "bad big bigger little small super pretty quite really actually basically literally obviously definitely "
    "absolutely exactly certainly totally probably maybe perhaps kind kinds sort sorts type types thing things "
    "something anything everything nothing stuff lot lots bit way ways time times day days week weeks month "
    "months year years today tomorrow yesterday moment minute minutes hour hours second seconds people person "
    "guy guys folks man everybody everyone somebody someone anybody anyone nobody number numbers couple bunch "
    "part parts piece pieces side end start beginning middle top back front place places point points case "
    "cases example examples sense reason reasons question questions answer answers idea ideas fact facts "
    "problem problems issue issues word words name names level levels line lines talk talks talked talking "
    "say says said saying tell tells told telling speak know knows knew known knowing think thinks "
    "thinking feel feels felt feeling mean means meant meaning want wants wanted wanting need needs needed "
    "like likes liked love loved loves look looks looked looking see sees seen saw seeing watch hear heard "
    "listen listening find finds found finding get gets got getting give gives gave given giving take takes "
    "took taken taking make makes made making put puts putting go goes went gone going come comes came coming "
    "keep keeps kept keeping let lets try tries tried trying use uses used using work works worked working "
    "run runs ran running happen happens happened happening show shows showed shown showing turn turns turned "
    "build builds built building write writes wrote written writing read reads reading play plays played "
    "call calls called calling ask asks asked asking help helps helped helping change changes changed set "
    "sets add adds added move moves moved open opens opened close closed bring brings brought leave left "
    "learn learned learning start started starting stop stopped begin began become became remember guess "
    "suppose believe agree understand hope wish thank thanks welcome sorry please interesting interested "
    "interest important amazing fantastic wonderful excited exciting fun funny crazy weird hard easy easier "
    "simple different similar same new old early late high low long short real true right wrong sure full "
    "whole certain specific particular general main huge possible available able live episode episodes show "
    "podcast podcasts audience listener listeners host guest interview conversation conversations topic "
    "chuckles laughs laughter laughing music inaudible unintelligible crosstalk bleep world life home "
    "house thousand hundred million billion percent half ton tons area areas step steps order set group "
    "groups next last first third final previous future past experience experiences effort goal goals "
    "room attention space focus focused link links notes check feature features approach perspective"
)
_SPONSOR = regex.compile(
    r"(?i)\b(?:sponsor(?:s|ed|ing)?|brought to you by|support(?:s|ed|ing)? (?:the|this|our) (?:show|podcast|episode)"
    r"|supporting [A-Z]|promo code|coupon code|use (?:the )?code|free trial|sign up (?:at|today)|get started"
    r" for free|check (?:them|it) out at|learn more at|visit \w+\.\w+|\w+\.(?:fm|com|io|dev|ai|org)/\w+|show notes)"
)
_GREETING = regex.compile(
    r"(?i)\b(?:welcome (?:back |everyone |everybody |\w+, )?to|thanks? (?:you )?(?:so much )?for (?:having|listening"
    r"|being|joining|coming|tuning|the)|how(?:'s it going| are you|'re you doing)|great to (?:be here|have you)"
    r"|(?:good|nice|lovely|pleasure) to (?:be here|see you|have you|meet you|talk)|I'm your host|your host"
    r"|see you (?:later|next)|bye|take care|subscribe|follow (?:me|us)|leave (?:us )?a review|rate us|this is episode"
    r"|on the show|in this episode|next (?:week|time)|social accounts|youtube channel|listen to us|our podcast|"
    r"this podcast|joined (?:as always )?by|with me (?:today|is|here)|(?:glad|happy|excited|honored) to (?:be|have))\b"
)
_NAME = r"(?P<name>(?!I['’])\p{Lu}[\p{L}\p{N}&'’-]*(?: \p{Lu}[\p{L}\p{N}&'’-]*){0,4})"
_READ_BEGINS = regex.compile(r"(?i)\b(?:brought to you by|sponsored by|today's sponsor|our sponsors?)\b")
_READ_ENDS = regex.compile(
    r"(?i)\b(?:for (?:supporting|sponsoring)|links? (?:is|are) in|in (?:your|the) (?:podcast player )?show notes|"
    r"supporting (?:the|this|our) (?:show|podcast)|back to (?:the|our) (?:show|interview|conversation))\b"
)
_ADDRESS = regex.compile(r"(?i)\b\w+\.(?:fm|com|io|dev|ai|org|net|co)(?:/\w+|\b)")
_READ_SENTENCES = 30
_READ_GAP = 5
_SPONSOR_NAME = regex.compile(
    rf"(?i:brought to you by|sponsored by|supported by|thanks? (?:you )?to) (?:our friends (?:at|over at) )?{_NAME}"
    rf"|{_NAME}(?: for supporting| for sponsoring)"
)
_SHOW_NAME = regex.compile(rf"(?i:welcome (?:back )?to|listening to|episode of(?: the)?) {_NAME}")
_PERSON = regex.compile(
    r"(?:I'm|I am|[Mm]y name(?:'s| is)|hosts?,?|[Gg]uests?,?(?: is| are)?|joined (?:as always |today )?by|"
    r"colleagues?,?|[Ww]elcome,|[Hh]ey,?|[Hh]i,?|[Tt]hanks,?|[Tt]hank you,?|here with|with us|we have|bye,?|"
    rf"see ya,?|later,?) {_NAME}(?:,? and {_NAME})?"
)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#.-]*")
_MIN_WORDS = 6


def is_aside(sentence: str) -> bool:
    """Whether a sentence greets, thanks, advertises or keeps house.

    >>> is_aside("This episode is brought to you by Acme."), is_aside("Ink is a medium of thought.")
    (True, False)
    """
    return _SPONSOR.search(sentence) is not None or _GREETING.search(sentence) is not None


def without_asides(sentences: Sequence[str]) -> list[str]:
    """The sentences that are about something: no asides, and nothing inside a sponsor's message.

    A message runs from "brought to you by" to its last address or thanks, at most 30 sentences.

    >>> without_asides(["Brought to you by Acme.", "Anvils!", "Thanks for supporting us.", "Ink flows."])
    ['Ink flows.']
    """
    kept: list[str] = []
    position = 0
    while position < len(sentences):
        end = _end_of_message(sentences, position)
        if end is None and not is_aside(sentences[position]):
            kept.append(sentences[position])
        position = position + 1 if end is None else end + 1
    return kept


def _end_of_message(sentences: Sequence[str], begin: int) -> int | None:
    """Where the sponsor's message that begins here ends; None where none begins or none ends.

    It ends with thanks or with an address, and goes on while more of them follow closely.
    """
    if not _READ_BEGINS.search(sentences[begin]):
        return None
    end: int | None = None
    for i in range(begin + 1, min(begin + _READ_SENTENCES, len(sentences))):
        if end is not None and i - end > _READ_GAP:
            break
        if _READ_ENDS.search(sentences[i]) or _ADDRESS.search(sentences[i]):
            end = i
    return end


def is_filler(sentence: str) -> bool:
    """Whether a sentence is too short, or mostly words that only carry speech along.

    >>> is_filler("Yeah, you know, that's really cool."), is_filler("Ink is a fluid medium of private thought.")
    (True, False)
    """
    words = [word.casefold().strip("'’.-") for word in _WORD.findall(sentence)]
    told = [word for word in words if len(word) > 3 and word not in CHATTER]
    return len(words) < _MIN_WORDS or len(told) < max(3, len(words) // 5)


def names_in(sentences: Iterable[str]) -> Names:
    """Who speaks, who pays and what the show is called, as greetings and thanks tell.

    >>> names_in(["Welcome to Talk Ink. I'm Ada Lovelace.", "Brought to you by Acme."])
    Names(people=frozenset({'ada lovelace'}), sponsors=frozenset({'acme'}), shows=frozenset({'talk ink'}))
    """
    told = list(sentences)
    people, sponsors, shows = (
        frozenset(
            name.casefold()
            for sentence in told
            for match in pattern.finditer(sentence)
            for name in match.captures("name")
        )
        for pattern in (_PERSON, _SPONSOR_NAME, _SHOW_NAME)
    )
    return Names(people, sponsors, shows)
