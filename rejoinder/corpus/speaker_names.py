"""Speakers' names inside the indexed text: which labels are names, and where they stand.

A question names who spoke more often than not, and the words of a turn don't. So what is embedded and indexed says
"Ada: " where Ada begins to speak; what is quoted and shown is the text without.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from rejoinder.corpus.speech import Sentence
from rejoinder.text.word_lists import word_set

# What programs that tell voices apart, and people who don't know them, write where a name would stand.
_NO_NAMES = word_set(
    "speaker speakers spk spkr spkid unknown unidentified unnamed anonymous undefined none null voice person "
    "participant attendee channel track audio mic microphone male female user sprecher sprecherin unbekannt "
    "locuteur locutrice intervenant intervenante inconnu inconnue hablante locutor locutora orador oradora "
    "desconocido falante desconhecido parlante interlocutore sconosciuto spreker onbekend mówca nieznany talare "
    "taler puhuja konuşmacı говорящий спикер диктор неизвестный 話者 话者 说话人 說話人 发言人 發言人 화자 متحدث"
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_DIGIT = regex.compile(r"\p{N}")
# A longer label is a sentence or a key, not a name.
MAX_CHARACTERS = 60


def name_of(label: str | None) -> str | None:
    """The name in a speaker's label; None where it only tells voices apart.

    At least one word has to be a name: no number, no letter alone, no word for "speaker".

    >>> [name_of(label) for label in ("Ada", ">> Dr. B:", "Host", "PhD F", "王")]
    ['Ada', 'Dr. B', 'Host', 'PhD F', '王']
    >>> [name_of(label) for label in ("Speaker 1", "SPEAKER_00", "0", ">>", "spk_2b", "Unknown Speaker", "A", None)]
    [None, None, None, None, None, None, None, None]
    """
    shown = " ".join((label or "").split()).strip(" >:-–—")
    is_name = len(shown) <= MAX_CHARACTERS and any(map(_names, _WORD.findall(shown.casefold())))
    return shown if is_name else None


def _names(word: str) -> bool:
    is_letter = len(word) == 1 and word.lower() != word.upper()
    return word not in _NO_NAMES and not is_letter and _DIGIT.search(word) is None


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of a source's speakers by their labels, with the tokens that "Name:" takes."""

    names: Mapping[str, tuple[str, int]]

    def told(self, sentences: Sequence[Sentence], room: int) -> str:
        """The sentences joined, with a name at the first and wherever the speaker changes.

        Where there is no room for all, every speaker is named once before one is named again.

        Args:
            sentences: of one chunk, in order.
            room: tokens that names may take.

        >>> said = [Sentence(text, speaker=who) for text, who in (("Yes.", "Ada"), ("No.", "1"), ("Oh!", "Ada"))]
        >>> Naming({"Ada": ("Ada", 2)}).told(said, 4), Naming({"Ada": ("Ada", 2)}).told(said, 3)
        ('Ada: Yes. No. Ada: Oh!', 'Ada: Yes. No. Oh!')
        """
        named = set(self._named(sentences, room))
        return " ".join(
            f"{self.names[s.speaker][0]}: {s.text}" if s.speaker and at in named else s.text
            for at, s in enumerate(sentences)
        )

    def _named(self, sentences: Sequence[Sentence], room: int) -> Iterator[int]:
        """The places of the sentences that a name stands before."""
        labels = [sentence.speaker or "" for sentence in sentences]
        turns = [at for at, (a, b) in enumerate(pairwise([None, *labels])) if a != b and b in self.names]
        for at in sorted(turns, key=lambda at: labels.index(labels[at]) != at):
            n_tokens = self.names[labels[at]][1]
            if n_tokens <= room:
                room -= n_tokens
                yield at


def naming(speakers: Iterable[str | None], count: Callable[[str], int]) -> Naming:
    """The speakers that have names; count gives a text's tokens."""
    labelled = {label: name for label in speakers if label and (name := name_of(label))}
    return Naming({label: (name, count(f"{name}:")) for label, name in labelled.items()})
