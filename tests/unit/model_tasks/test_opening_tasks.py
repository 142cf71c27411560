"""Which tasks are a model's, and how its answers are shown."""

import subprocess
import sys

import pytest
from scripted_tasks import ScriptedLlm
from streamlit.testing.v1 import AppTest

from api.schemas.searching import Answer
from cli.ask import _show
from rejoinder.corpus.shaping.prompt_context import TokenCounts
from rejoinder.errors import ConfigInvalid
from rejoinder.prompts.loader import load_prompt
from resources import programs
from resources.asking import Cited, Reply, Said, Searched, Written
from resources.model_tasks.answers import open_answers
from resources.model_tasks.asked import Desk
from resources.model_tasks.claims import find_claims, open_claims, program
from resources.model_tasks.summaries import ModelSummariser, open_summariser
from resources.model_tasks.verdicts import open_verdicts
from resources.tuning import Tuning
from resources.tuning_models import EndpointTuning, Models, TaskModels
from resources.wiring import stage_tuning


class Quoting:
    """A summariser that is never asked."""

    method = "quoting.v1"


def unopened() -> None:
    raise AssertionError("nothing is opened for a task without a model")


def test_without_a_model_nothing_is_opened():
    desk = Desk(unopened, None, Models(tasks={"reply": TaskModels(endpoints=("one",))}), unopened)
    assert open_claims(desk) is open_verdicts(desk) is open_answers(desk) is None
    quoting = Quoting()
    assert open_summariser(desk, quoting) is quoting


def test_a_library_that_is_missing_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    with pytest.raises(ConfigInvalid, match="dspy") as caught:
        open_claims(Desk(lambda: ScriptedLlm([]), None, Models(default=("one",))))
    assert "pip install -e '.[models]'" in caught.value.fix


def test_a_task_on_one_side_of_a_test_is_a_models():
    models = Models(tasks={"summary": TaskModels(challenger=("one",), challenger_share=0.5)})
    made = open_summariser(Desk(lambda: ScriptedLlm([]), None, models), Quoting())
    assert isinstance(made, ModelSummariser) and made.method == "abstractive.v1/local,one+quoting.v1"


class Timed(ScriptedLlm):
    """Notes how long it may take."""

    within = None

    def complete(self, request, *, within_s=None):
        self.within = within_s
        return super().complete(request)


@pytest.mark.parametrize(("item_s", "within_s"), [(30.0, 24.0), (10_000.0, 600.0), (None, 600.0)])
def test_a_model_gives_up_before_the_step_does(monkeypatch, item_s, within_s):
    monkeypatch.setattr(
        "resources.model_tasks.asked.prompt_in_force", lambda *_: (load_prompt("claims", 1), "champion")
    )
    llm = Timed([{"claims": []}])
    task = open_claims(Desk(lambda: llm, None, Models(default=("one",)), lambda: 5), item_s=item_s)
    find_claims(task, "Kettles draw 2,200 watts.", "post:3")
    assert llm.within == pytest.approx(within_s) and llm.seen[0].creator_id == 5


def test_opening_tasks_loads_no_dspy():
    code = "import sys, resources.wiring, resources.model_tasks.answers; sys.exit('dspy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert program(load_prompt("claims", 1)).prompt == load_prompt("claims", 1)


E1 = Cited(
    "E1",
    "Ines, Slow Compost, 1:04",
    "https://pod.example/c?t=64",
    "Slow Compost",
    ("Ines",),
    64.0,
    70.0,
    (1,),
)
E2 = Cited("E2", "Slow Compost", None, "Slow Compost", (), None, None, (2,))
REPLY = Reply(
    "Why?", (Said("It has no air.", (E1,)),), "", 0.9, (), Searched(1, 0, 2, TokenCounts(1, 2, 3)),
    ("a note",), Written((Said("It lacks air <b>.", (E1, E2)),), "scripted::one", "0123456789ab"),
)  # fmt: skip


def test_a_written_answer_is_shown_above_its_quotes_with_its_model(capsys):
    _show(REPLY)
    shown = capsys.readouterr().out
    parts = [
        "It lacks air <b>. [E1 1:04] [E2]\n",
        "Written by scripted::one. What the sources say, word for word:\nIt has no air. [E1 1:04]\n",
        "  [E1 1:04] Ines, Slow Compost, 1:04\n    https://pod.example/c?t=64\n  [E2] Slow Compost\n",
        "note: a note",
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)


def test_the_api_has_the_written_answer_and_null_without():
    told = Answer.model_validate(REPLY).model_dump(mode="json")
    assert told["written"]["model"] == "scripted::one"
    assert [c["id"] for c in told["written"]["statements"][0]["citations"]] == ["E1", "E2"]
    without = Reply("Why?", (), "nothing", 0.1, (), REPLY.searched)
    assert Answer.model_validate(without).model_dump()["written"] is None


def page() -> None:
    from test_opening_tasks import REPLY

    from review_app.screens.ask import _show_reply

    _show_reply(REPLY)


def test_the_page_shows_it_above_the_quotes_and_escapes_it():
    shown = AppTest.from_function(page, default_timeout=60).run()
    assert not shown.exception
    text = "".join(element.proto.body for element in shown.get("html"))
    parts = ["It lacks air &lt;b&gt;.", "Written by scripted::one", "word for word", "rj-quote"]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert "<b>" not in text


def test_rows_that_a_model_is_asked_about_go_one_by_one():
    asked = Tuning(
        models=Models(tasks={"claims": TaskModels(endpoints=("one",))}),
        endpoints={"one": EndpointTuning(uri="openai::m")},
    )
    assert stage_tuning(asked, "claims").group == 1
    assert stage_tuning(asked, "claims").batch == asked.stage("claims").batch
    assert stage_tuning(asked, "evidence") == asked.stage("evidence")
    assert stage_tuning(Tuning(), "claims") == Tuning().stage("claims") != stage_tuning(asked, "claims")
