"""C-value and the candidates it works on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.c_value import c_values, parts
from rejoinder.corpus.term_candidates import MAX_WORDS, candidates_in
from rejoinder.text.function_words import function_words


def test_c_value_of_nested_terms() -> None:
    # A nest of terms like the one that the paper works through.
    carcinoma = ("basal", "cell", "carcinoma")
    kinds = {"cystic": 11, "ulcerated": 7, "recurrent": 5, "circumscribed": 3}
    counts = {carcinoma: 984, ("adenoid", "cystic", *carcinoma): 5}
    counts |= {(kind, *carcinoma): count for kind, count in kinds.items()}
    values = c_values(counts)
    assert values[carcinoma] == pytest.approx(math.log2(4) * (984 - 31 / 5))
    assert values["cystic", *carcinoma] == pytest.approx(math.log2(5) * (11 - 5))
    assert values["adenoid", "cystic", *carcinoma] == pytest.approx(math.log2(6) * 5)


def test_what_lives_only_inside_one_longer_run_is_no_term() -> None:
    values = c_values({("stack", "python"): 6, ("full", "stack", "python"): 6})
    assert values["stack", "python"] == 0 < values["full", "stack", "python"]


@given(st.lists(st.integers(), min_size=1, max_size=MAX_WORDS, unique=True))
def test_parts_are_every_shorter_run(words: list[int]) -> None:
    run = tuple(map(str, words))
    assert len(list(parts(run))) == len(run) * (len(run) + 1) // 2 - 1
    assert all(len(part) < len(run) for part in parts(run))


def test_runs_stop_at_punctuation_and_function_words() -> None:
    found = candidates_in(["A heat pump, an oil heater and the layers of abstraction"])
    assert {"heat pump", "oil heater", "layers of abstraction"} <= {one.term for one in found.values()}
    assert ("pump", "oil") not in found and ("abstract",) in found


def test_inflections_count_together_and_show_the_usual_form() -> None:
    found = candidates_in(["We read log files.", "They keep log files.", "One log file is full."])
    assert found["log", "file"].count == 3 and found["log", "file"].term == "log files"


def test_capitals_of_a_sentences_beginning_do_not_count() -> None:
    found = candidates_in(["Backups fail.", "Backups lie.", "The backups of Docker's images"])
    assert found[("backup",)].term == "backups"
    assert found[("docker",)].term == "Docker" and found[("docker",)].words == ("docker",)


def test_the_word_before_tells_names_from_actions() -> None:
    found = candidates_in(["The dump is here.", "We restore it.", "They'll restore.", "You can restore."])
    assert (found[("dump",)].before_noun, found[("dump",)].before_other) == (1, 0)
    assert (found[("restor",)].before_noun, found[("restor",)].before_other) == (0, 3)


def test_contractions_and_numbers_name_nothing() -> None:
    assert candidates_in(["It's 1,000, don't we'll 42 they'd"]) == {}


def test_function_words_follow_the_language() -> None:
    found = candidates_in(["L'objet de la dépendance, c'est le téléphone."], "fr")
    assert {"objet", "dépendance", "téléphone"} <= {one.term for one in found.values()}
    assert not any(word in function_words("fr") for one in found.values() for word in one.words[:1])
    assert function_words("xx") == function_words("en")


@given(st.lists(st.text(max_size=60), max_size=5), st.sampled_from(["en", "fr", "ja"]))
def test_any_text_gives_sound_candidates(sentences: list[str], language: str) -> None:
    for stems, one in candidates_in(sentences, language).items():
        assert one.stems == stems and 1 <= len(stems) <= MAX_WORDS
        assert one.count >= one.before_noun + one.before_other >= 0 and one.count > 0 and one.term
