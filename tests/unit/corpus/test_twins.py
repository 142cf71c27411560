"""Twins of one episode: found in every shape, never between two episodes of a show."""

import random
from itertools import combinations
from pathlib import Path

from rejoinder.corpus.reading import read_source
from rejoinder.corpus.twins import Signature, Worth, are_twins, is_better, shared, signature, worth
from rejoinder.corpus.values import Cue, Transcript


def said(*words: str) -> Signature:
    return signature([Cue(" ".join(words), 1.0)])


def written(*words: str) -> Signature:
    return signature([Cue(" ".join(words))])


def test_cutting_case_punctuation_and_fillers_do_not_count() -> None:
    printed = [Cue("So, heat pumps: they're cheap.", 1.0), Cue("Aren't they? 熱泵很便宜。")]
    heard = [Cue("so um heat pumps THEYRE", 3.0), Cue("cheap arent they uh"), Cue("熱泵 很便宜")]
    assert signature(printed) == signature(heard)


def test_the_sketch_estimates_what_is_shared() -> None:
    draw = random.Random(7)
    words = [str(draw.randrange(10**9)) for _ in range(12_000)]
    first, second = said(*words[:8_000]), said(*words[4_000:])
    assert abs(shared(first, second) - 0.5) < 0.09
    assert not are_twins(first, said(*words[8_000:])) and are_twins(first, second)


def test_documents_that_quote_are_no_twins_and_the_same_document_is_one() -> None:
    words = [f"w{i}" for i in range(2_000)]
    own = [f"v{i}" for i in range(2_000)]
    quoting = [*words[:800], *own[:1_000]]
    assert are_twins(said(*words), said(*quoting)), "two recordings that share as much are one episode"
    assert not are_twins(written(*words), written(*quoting))
    assert are_twins(written(*words), written("home", "about", *words, *own[:300]))
    article = [*words[:400], *own[:200]]
    assert shared(said(*words), written(*article)) > 0.6
    assert not are_twins(said(*words), written(*article)) and not are_twins(written(*article), said(*words))
    assert are_twins(said(*words), written("home", "about", *words, *own[:300]))


def test_excerpts_and_what_is_too_short_are_no_twins() -> None:
    words = [f"w{i}" for i in range(900)]
    assert not are_twins(said(*words), said(*words[:100]))
    assert not are_twins(said("thanks", "for", "watching"), said("thanks", "for", "watching"))
    assert shared(said(), said("a", "b", "c", "d")) == 0.0


def test_the_better_twin_is_fuller_timed_voiced_longer() -> None:
    assert is_better(Worth(False, False, 9000), Worth(True, True, 3000))
    assert is_better(Worth(True, False, 8900), Worth(False, True, 9000))
    assert is_better(Worth(True, True, 8900), Worth(True, False, 9000))
    assert not is_better(Worth(True, True, 8900), Worth(True, True, 9000))
    timed = Transcript("", "srt", (Cue("One two.", 0.0, 1.0, "Ada"), Cue("Three.", 1.0, 2.0, "Ada")))
    stuck = Transcript("", "text", (Cue("One two.", 0.0), Cue("Three.", 0.0)))
    assert worth(timed) == Worth(True, True, 3) and worth(stuck) == Worth(False, False, 3)


def test_real_twins_are_found_and_no_others(data_dir: Path) -> None:
    names = {
        "talk 514": ("podcasts_talkpython/514-python-language-summit-2025.{}", ("vtt", "txt")),
        "talk 515": ("podcasts_talkpython/515-temporal.{}", ("vtt", "txt")),
        "talk 522": ("podcasts_talkpython/522-codecut-ai.{}", ("vtt",)),
        "talk 523": ("podcasts_talkpython/523-pyrefly.{}", ("vtt",)),
        "muse 10": ("podcasts_metamuse/{}", ("captions/10-tools-for-thought.vtt",)),
        "muse 71": ("podcasts_metamuse/{}/71-programmable-ink", ()),
    }
    files = {pattern.format(end): show for show, (pattern, ends) in names.items() for end in ends}
    files |= {"podcasts_metamuse/archive/original/10-tools-for-thought.txt": "muse 10"}
    files |= {
        f"podcasts_metamuse/{kind}/71-programmable-ink.{end}": "muse 71"
        for kind, end in (("audiotext", "json"), ("plaintext", "txt"))
    }
    for run in ("tiny_auto", "medium_fr", "medium_auto"):
        files[f"podcasts_whisper_json/{run}/smartphone.mp3.words.json"] = "whisper"
    signatures = {name: signature(read_source(name, (data_dir / name).read_bytes()).cues) for name in files}
    for one, other in combinations(files, 2):
        assert are_twins(signatures[one], signatures[other]) == (files[one] == files[other]), (one, other)


def test_real_documents_that_quote_each_other_are_no_twins(data_dir: Path) -> None:
    """The nearest two among the documents of the data: a third of the one is in the other."""
    names = [f"podcasts_talkpython/{name}.md" for name in ("README.upstream", "SOURCE")]
    first, second = (signature(read_source(n, (data_dir / n).read_bytes()).cues) for n in names)
    assert shared(first, second) > 0.25 and not are_twins(first, second)
