"""Questions to a real corpus: answered to the second from the sample episodes, or told that it is not in there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.corpus.shaping.prompt_context import rendered
from rejoinder.errors import ConfigInvalid
from resources.asking import Question
from resources.commands import people
from resources.commands.actors import machine_owner
from resources.context import context_builder
from resources.inbox import ingest_paths
from resources.search import SearchQuery
from resources.settings import load_settings
from resources.wiring import asking, run_step
from resources.workbench import Workbench, open_workbench

ROOT = Path(__file__).resolve().parents[2]
EPISODE = ROOT / "resources" / "samples" / "episodes" / "composting-without-the-smell.vtt"
APP = str(ROOT / "review_app" / "app.py")
PASSWORD = "correct horse battery"  # pragma: allowlist secret


@pytest.fixture
def bench(environment: None) -> Iterator[Workbench]:
    """A workbench on this test's own database."""
    opened = open_workbench(load_settings())
    yield opened
    opened.db.close()
    st.cache_resource.clear()


@pytest.fixture
def corpus(bench: Workbench) -> Workbench:
    """One episode, searchable; its address is known."""
    ingest_paths(bench, [EPISODE])
    for step in ("chunk", "embed_chunks"):
        run_step(bench, step)
    with bench.db.transaction() as tx:
        tx.connection.execute(
            "update source set url = 'https://pod.example/compost', published_at = '2026-03-04Z'"
        )
    return bench


def test_an_answer_is_cited_to_the_second_and_nothing_is_invented(corpus: Workbench) -> None:
    reply = asking(corpus).ask(Question("Why does a compost heap smell of rotten eggs?"))
    assert reply.is_answered
    with corpus.db.transaction() as tx:
        cues = tx.connection.execute("select text, start_s, end_s from cue order by position").fetchall()
    spoken = " ".join(" ".join(cue["text"].split()) for cue in cues)
    for said in reply.statements:
        assert said.text in spoken
        (cited,) = said.citations
        assert cited.url == f"https://pod.example/compost#t={int(cited.start_s or 0)}"
        first_words = " ".join(said.text.split()[:3])
        at = [
            c
            for c in cues
            if c["start_s"] <= (cited.start_s or 0) + 0.01 and c["end_s"] >= (cited.start_s or 0)
        ]
        assert any(first_words.split()[0] in c["text"] for c in at)
    assert "rotten eggs" in " ".join(said.text for said in reply.statements)
    assert (reply.searched.sources, reply.searched.waiting) == (1, 0)


def test_what_the_corpus_has_not_is_not_answered(corpus: Workbench) -> None:
    reply = asking(corpus).ask(Question("Who won the football world cup of 1998?"))
    assert not reply.is_answered and reply.reason and reply.nearest


def test_a_model_whose_answers_were_not_fitted_says_so_with_every_reply(corpus: Workbench) -> None:
    ask = asking(corpus)
    unfitted = replace(ask, rule=replace(ask.rule, is_fitted=False))
    for question in (
        Question("Why does a compost heap smell of rotten eggs?"),
        Question("Who won the football world cup of 1998?"),
        Question("Why does a compost heap smell of rotten eggs?", speakers=("Nobody",)),
    ):
        assert ask.ask(question).notes == ()
        (note,) = unfitted.ask(question).notes
        assert note.startswith(f"answers.at_least was not fitted for {corpus.embedder.model}")


def test_filters_narrow_the_search(corpus: Workbench) -> None:
    ask = asking(corpus).ask
    question = "Why does a compost heap smell of rotten eggs?"
    assert ask(Question(question, sources=("without the SMELL",))).is_answered
    assert ask(Question(question, published_after=datetime(2026, 3, 4, tzinfo=UTC))).is_answered
    ines = ask(Question(question, speakers=("Ines",)))
    assert ines.is_answered and all("Ines" in c.speakers for s in ines.statements for c in s.citations)
    for nowhere in (Question(question, language="de"), Question(question, speakers=("Nobody",))):
        reply = ask(nowhere)
        assert not reply.is_answered and "speaker or language" in reply.reason and not reply.nearest
    with pytest.raises(ConfigInvalid, match="No source is called 'heat pumps'"):
        ask(Question(question, sources=("heat pumps",)))
    with pytest.raises(ConfigInvalid, match="no source to search"):
        ask(Question(question, published_before=datetime(2026, 3, 4, tzinfo=UTC)))
    with pytest.raises(ConfigInvalid, match="no question"):
        ask(Question(" ?! "))


def test_the_context_is_within_its_budget_as_it_is_sent(corpus: Workbench) -> None:
    tuning = corpus.tuning.model_copy(
        update={"context": corpus.tuning.context.model_copy(update={"evidence_tokens": 700})}
    )
    builder = context_builder(corpus.db, tuning, corpus.embedder.count_tokens)
    text = "Why does it smell?"
    vector = corpus.embedder.embed([text], "query")[0]
    asked = SearchQuery(text, vector, index_id=corpus.index_id, project_id=corpus.project_id)
    context = builder.build(asked).context
    assert 350 < corpus.embedder.count_tokens(rendered(context.evidence)) == context.tokens.evidence <= 700
    assert builder.build(asked).context == context


def test_the_command_says_the_same_as_json_and_an_empty_corpus_says_what_to_do(bench: Workbench) -> None:
    app, runner = build_app(), CliRunner()
    empty = runner.invoke(app, ["ask", "Why does it smell?"])
    assert empty.exit_code == 2 and "rejoinder ingest" in empty.stderr
    ingest_paths(bench, [EPISODE])
    waiting = runner.invoke(app, ["ask", "Why does it smell?"])
    assert waiting.exit_code == 2 and "Nothing can be searched yet: 1 of" in waiting.stderr
    for step in ("chunk", "embed_chunks"):
        run_step(bench, step)
    done = runner.invoke(app, ["ask", "Why does a heap smell of rotten eggs?", "--json"])
    answer = json.loads(done.stdout)
    assert done.exit_code == 0 and answer["is_answered"]
    assert answer["statements"][0]["citations"][0]["start_s"] > 0
    wrong = runner.invoke(app, ["ask", "Why?", "--since", "yesterday"])
    assert wrong.exit_code == 2 and "no date" in wrong.stderr


def test_the_page_answers_with_links_and_escapes_what_it_shows(corpus: Workbench) -> None:
    with corpus.db.transaction() as tx:
        tx.connection.execute("update source set title = 'Heap <script>alert(1)</script>'")
    people.add_person(corpus.db, machine_owner(), "ana", "Ana", "admin", PASSWORD)
    page = AppTest.from_file(APP, default_timeout=60).run()
    page.text_input(key="sign_in_name").input("ana")
    page.text_input(key="sign_in_password").input(PASSWORD)
    next(button for button in page.button if button.label == "Sign in").click().run()
    page._page_hash = next(k for k, v in page._registered_pages.items() if v.get("url_pathname") == "ask")
    page.run()

    def ask(question: str) -> str:
        page.text_input(key="ask_question").input(question)
        next(button for button in page.button if button.label == "Ask").click().run()
        assert not page.exception
        return "".join(element.proto.body for element in page.get("html"))

    shown = ask("Why does a compost heap smell of rotten eggs?")
    assert 'href="https://pod.example/compost#t=' in shown and "rj-quote" in shown
    assert "<script>" not in shown and "Heap &lt;script&gt;" in shown
    assert "Not in the corpus" in ask("Who won the football world cup of 1998?")
    assert "There is no question" in ask("?!")
    page.text_input(key="ask_speaker").input("Nobody")
    assert "No passage has this speaker" in ask("Why does a compost heap smell of rotten eggs?")
