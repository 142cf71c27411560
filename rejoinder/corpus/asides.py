"""What is said in an episode besides its subject: greetings, sponsors, housekeeping, chatter, names."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
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
    "young younger older longer shorter larger smaller higher lower faster slower newer modern major minor "
    "common popular various entire overall current initial original latest recent typical average extra "
    "additional separate quick longterm forward backward backwards huh uh-huh mm-hmm mhm eh et "
    "cetera etcetera alright anyways dude ma'am sir copy paste "
    "house thousand hundred million billion percent half ton tons area areas step steps order set group "
    "groups next last first third final previous future past experience experiences effort goal goals "
    "tens hundreds thousands millions billions dozens first-class room attention space focus focused link "
    "links notes check feature features approach perspective"
)
# Words that name something only together with another word: pricing model, but not a model. Two of them
# say no more than one.
GENERAL = word_set(
    "ability access account accounts action actions activity age amount amounts approach argument aspect aspects "
    "attempt author background base basis benefit benefits board body book books boss box business button "
    "buttons car card category center century chance channel character choice class classes client code "
    "college colour color command community companies company complexity concept concepts content context "
    "control cost costs country course culture customer customers data date dates decision decisions default "
    "degree demand department design designer detail details developer developers development device devices "
    "difference direction discussion district document documents domain economy ecosystem education effect "
    "element employee employees energy engineer engineering engineers environment error errors event events "
    "evidence expert experts extent factor family field fields figure file files film form format friend friends "
    "function functions game games government growth health history human humans image images impact industry "
    "information infrastructure input instance institute insight internet interface item items job jobs journey "
    "key kid kids knowledge language languages law layer leader leaders letter library libraries license list lists "
    "location logic machine machines management manager market material matter media medium meeting meetings "
    "member members memory message messages method methods mind mode model models money motivation network "
    "news note object objects office online opportunity option options organization output owner package "
    "packages page pages parameter parent parents party path pattern patterns performance period person phone "
    "picture pictures plan plans platform platforms police policy position post posts power practice presence "
    "president press price prices principle process processes product products professor program programs progress "
    "project projects property protocol purpose quality range rate reality record relationship release remote "
    "report representative request requests research resource resources response responsibility result results "
    "role roles rule rules school schools science screen script section security sentence series server servers "
    "service services session share shape signal site sites situation size skill skills society software sound "
    "source sources speaker speakers speech staff standard standards state states statement stories story strategy "
    "street string structure student students study style subject success support surface system systems table task "
    "tasks teacher team teams tech technique techniques technologies technology template term terms test tests text "
    "theory thought thoughts tool tools tooling track trade tradition traffic training trend trouble truth user "
    "users value values variable version versions video videos view village vision visit voice volume war water "
    "web website websites window worker workers workflow writer "
    "good better local global public private "
    "single multiple double early key basic top "
    "random generic normal individual personal native custom direct "
    "advantage extent computer computers app apps internal external"
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
_BRIDGED = 4
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

    A message runs from "brought to you by" to its last address or thanks, at most 30 sentences; up to four
    sentences between an aside and an advertisement belong to them.

    >>> without_asides(["Brought to you by Acme.", "Anvils!", "Thanks for supporting us.", "Ink flows."])
    ['Ink flows.']
    """
    marked = _marked(sentences)
    return [sentence for sentence, is_out in zip(sentences, marked, strict=True) if not is_out]


def _marked(sentences: Sequence[str]) -> list[bool]:
    """Whether each sentence is left out."""
    marked = [is_aside(sentence) for sentence in sentences]
    for begin in range(len(sentences)):
        end = _end_of_message(sentences, begin)
        if end is not None:
            marked[begin : end + 1] = [True] * (end + 1 - begin)
    asides = [i for i, is_out in enumerate(marked) if is_out]
    for first, second in pairwise(asides):
        is_bridge = _advertises(sentences[first]) or _advertises(sentences[second])
        if is_bridge and second - first - 1 <= _BRIDGED:
            marked[first:second] = [True] * (second - first)
    return marked


def _advertises(sentence: str) -> bool:
    return _SPONSOR.search(sentence) is not None


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
