"""Keywords and summaries: what is taken out, what is preferred, and the real episodes."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rejoinder.corpus.asides import is_aside, is_filler, names_in, without_asides
from rejoinder.corpus.centrality import MAX_EMBEDDED, most_telling
from rejoinder.corpus.keywords import Keyword, extract_keywords
from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.standing_alone import stands_alone
from rejoinder.corpus.summaries import n_source_sentences, summary_candidates
from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.llm.ports import Vectors

SAMPLES = Path(__file__).parents[3] / "resources/samples/episodes"
TALK = (
    "Welcome to Talk Ink. I'm your host, Ada Lovelace. This episode is brought to you by Acme Anvils. "
    "Acme Anvils are the best anvils. Acme Anvils never break. Get one at acme.com/ink. "
    + "Yeah, you know, that's really cool. Digital ink turns a drawing into data. "
    "With digital ink every stroke keeps its pressure. Ada, does digital ink need a tablet? "
    "Handwriting recognition reads digital ink. Handwriting recognition is slow on a tablet. "
    "Most handwriting recognition runs on the device of the writer. " * 2
)


def talk(text: str = TALK, speaker: str | None = "Ada Lovelace") -> Transcript:
    return Transcript("Ink", "text", (Cue(text, 0.0, 100.0, speaker),))


def test_keywords_are_terms_of_the_subject() -> None:
    terms = [keyword.term for keyword in extract_keywords(talk())]
    assert {"digital ink", "handwriting recognition"} <= {term.casefold() for term in terms[:3]}
    said = " ".join(terms).casefold()
    assert not any(word in said for word in ("ada", "lovelace", "acme", "anvil", "yeah", "cool", "talk ink"))


def test_keyword_scores_are_in_order_and_bounded() -> None:
    keywords = extract_keywords(talk(), limit=3)
    scores = [keyword.score for keyword in keywords]
    assert scores[0] == 1.0 and scores == sorted(scores, reverse=True) and all(0 < s <= 1 for s in scores)
    assert len(keywords) <= 3


def test_nothing_said_often_enough_gives_no_keywords() -> None:
    assert extract_keywords(talk("Hello there.")) == []


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("514-python-language-summit-2025.txt", {"steering council", "free threading"}),
        ("515-temporal.vtt", {"temporal service", "durable execution"}),
        ("521-red-teaming-llms-and-genai-with-pyrit.vtt", {"prompt injection", "pyrit"}),
        ("71-programmable-ink.json", {"programmable ink", "digital ink"}),
        ("practical-ai-290.md", {"argilla", "synthetic data"}),
    ],
)
def test_keywords_of_real_episodes(data_dir: Path, name: str, wanted: set[str]) -> None:
    parsed = parse_transcript(name, (data_dir / "demo/transcripts" / name).read_bytes())
    terms = [keyword.term.casefold() for keyword in extract_keywords(parsed)]
    assert wanted <= set(terms)
    speakers = {cue.speaker.casefold() for cue in parsed.cues if cue.speaker}
    assert not speakers.intersection(terms)
    assert sum(" " in term for term in terms[:5]) >= 2


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("backups-you-can-restore.json", {"base backup", "postgresql", "replica"}),
        ("composting-without-the-smell.vtt", {"compost heap", "kitchen scraps"}),
        ("what-your-home-really-uses.srt", {"heat pump", "phone charger"}),
    ],
)
def test_keywords_of_the_samples(name: str, wanted: set[str]) -> None:
    parsed = parse_transcript(name, (SAMPLES / name).read_bytes())
    keywords = extract_keywords(parsed)
    assert wanted <= {keyword.term.casefold() for keyword in keywords}
    assert len({keyword.term.casefold() for keyword in keywords}) == len(keywords)


def test_asides_fillers_and_names() -> None:
    assert is_aside("Thanks for having me.") and is_aside("Sign up today at x.com/y")
    assert not is_aside("Digital ink turns a drawing into data.")
    assert is_filler("Right.") and not is_filler("Digital ink turns a drawing into structured data.")
    assert names_in(["Hi, I'm Ada and Bob Moog."]).people == {"ada", "bob moog"}


def test_a_sponsors_message_ends_with_its_last_address() -> None:
    told = [
        "Sponsored by Acme.",
        "Anvils!",
        "See acme.com/a.",
        "Really.",
        "Go to acme.com now.",
        "Ink flows.",
    ]
    assert without_asides(told) == ["Ink flows."]
    unended = ["Sponsored by Acme.", "Ink flows."]
    assert without_asides(unended) == ["Ink flows."]


def test_what_stands_between_an_aside_and_an_advertisement_is_one() -> None:
    told = ["Subscribe there.", "See bugs before they happen.", "Get started at acme.com/ink.", "Ink flows."]
    assert without_asides(told) == ["Ink flows."]
    assert without_asides(["Welcome to Talk Ink.", "Ink flows.", "Great to be here."]) == ["Ink flows."]


def sentences(*texts: str) -> list[Sentence]:
    return [Sentence(text, 200.0 + i, 201.0 + i) for i, text in enumerate(texts)]


def choose(
    texts: Sequence[str],
    vectors: Vectors,
    n_wanted: int,
    *,
    keywords: Sequence[Keyword] = (),
    sources: Sequence[int] | None = None,
) -> list[str]:
    known = dict(zip(texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), strict=True))
    chosen = most_telling(
        sentences(*texts),
        lambda asked: np.stack([known[text] for text in asked]),
        keywords=keywords,
        sources=[1] * len(texts) if sources is None else sources,
        n_wanted=n_wanted,
    )
    return [texts[i] for i in chosen]


def test_a_summary_takes_what_is_not_said_yet() -> None:
    vectors = np.array([[1, 0, 0], [0.995, 0.1, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    chosen = choose(["a ink", "b ink", "c ink", "d ink"], vectors, 3)
    assert len({"a ink", "b ink"} & set(chosen)) == 1 and len(chosen) == 3


def test_keywords_pull_a_sentence_in() -> None:
    texts = ["x runs", "ink flows", "y runs"]
    assert choose(texts, np.eye(3, dtype=np.float32), 1, keywords=[Keyword("Ink", 1.0)]) == ["ink flows"]


def test_a_summary_of_many_sources_spreads_over_them() -> None:
    texts = [f"{word} flows" for word in ("ink", "oil", "sap", "tar", "dye")]
    chosen = choose(texts, np.eye(5, dtype=np.float32), 3, sources=[1, 1, 1, 1, 2])
    assert "dye flows" in chosen and len(chosen) == 3


def test_no_more_is_embedded_than_is_worth_it() -> None:
    asked: list[int] = []

    def embed(texts: Sequence[str]) -> Vectors:
        asked.append(len(texts))
        return np.ones((len(texts), 1), dtype=np.float32)

    many = sentences(*(f"ink number {i}" for i in range(500)))
    assert len(most_telling(many, embed, keywords=[], sources=[1] * 500, n_wanted=4)) == 1
    assert asked == [MAX_EMBEDDED]


def test_summary_of_nothing_and_of_sentences_without_a_source() -> None:
    assert choose([], np.zeros((0, 3), dtype=np.float32), 4) == []
    with pytest.raises(ValueError, match="1 candidates but 0"):
        choose(["a"], np.ones((1, 3), dtype=np.float32), 4, sources=[])


@pytest.mark.parametrize(
    "text",
    [
        "It keeps the pressure of every stroke.",
        "So that one is better.",
        "We read my notes.",
        "Ink, stuff like that.",
        "Does ink flow?",
        "W ink flows.",
    ],
)
def test_what_leans_on_something_else_does_not_stand_alone(text: str) -> None:
    assert not stands_alone(text)


def test_a_long_source_has_a_longer_summary() -> None:
    assert n_source_sentences(talk("Ink. " * 10)) == 4 and n_source_sentences(talk("Ink. " * 50_000)) == 6


def test_candidates_leave_greetings_sponsors_and_chatter_out() -> None:
    texts = [sentence.text for sentence in summary_candidates(talk())]
    assert texts and not any("Acme" in text or "Welcome" in text or "cool" in text for text in texts)


def test_candidates_of_real_episodes(data_dir: Path) -> None:
    for path in sorted((data_dir / "demo/transcripts").iterdir()):
        candidates = summary_candidates(parse_transcript(path.name, path.read_bytes()))
        assert len(candidates) >= 4
        assert all(9 <= len(candidate.text.split()) <= 42 for candidate in candidates)


def test_keywords_against_our_own_judgement(data_dir: Path) -> None:
    """Precision@10 over twelve sources; how it was judged stands in the file."""
    gold = json.loads((Path(__file__).parent / "gold_keywords.json").read_text("utf-8"))["sources"]
    shares = []
    for source in gold:
        path = data_dir / source["file"]
        found = extract_keywords(parse_transcript(path.name, path.read_bytes()), limit=10)
        shares.append(sum(keyword.term.casefold() in source["good"] for keyword in found) / 10)
    assert len(shares) == 12 and sum(shares) / len(shares) >= 0.85
