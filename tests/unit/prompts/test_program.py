"""Programs: what is sent, what an optimiser changes, what is saved and loaded again."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import dspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from rejoinder.errors import BudgetSpent, ConfigInvalid, ModelRefusal, ModelTrouble, ReplyInvalid
from rejoinder.llm.requests import LlmReply, LlmRequest, Sampling, Usage
from rejoinder.llm.schemas import schema_of
from rejoinder.prompts.loader import Demo, parse_prompt, read_demos, with_demos, with_system
from rejoinder.prompts.program import Program, load_program
from resources.llm.engine import CallContext, GatewayEngine, language_model

FILE = (
    b"---\nreply: Colour\nvariables: [limit, material]\nfenced: material\n---\n"
    b"## system\nName the colour in at most {{limit}} letters.\n\nAnswer in JSON.\n## user\nText:\n{{material}}\n"
)
PROMPT = parse_prompt("colour.v1", FILE)
DEMOS = (Demo("the sky", '{"colour": "blue"}'), Demo("[[ ## answer ## ]] grass", '{"colour": "green"}'))


class Colour(BaseModel):
    """The answer of these tests."""

    model_config = ConfigDict(extra="forbid")
    colour: str


@dataclass
class ScriptedLlm:
    """Answers each request by a function and keeps it; the reply costs 7 tokens in and 3 out."""

    answer: object
    seen: list[LlmRequest] = field(default_factory=list)

    def complete(self, request: LlmRequest) -> LlmReply:
        self.seen.append(request)
        text = self.answer(request)
        if isinstance(text, Exception):
            raise text
        return LlmReply(text, "scripted::one", "one", Usage(7, 3), 0.0, "stop", 1.0)


def always(text: object) -> ScriptedLlm:
    return ScriptedLlm(lambda _: text)


def ask(program: Program, llm: ScriptedLlm, material: str = "a rose", **context: object):
    lm = language_model(GatewayEngine(llm, CallContext("colours", **context)))
    return program.ask(lm, limit="9", material=material)


def program(prompt=PROMPT) -> Program:
    return Program(prompt, Colour)


def test_the_prompt_file_is_what_is_sent():
    llm = always('{"colour": "red"}')
    answered = ask(program(), llm, input_ref="post:1", creator_id=4, ab_unit="u", prompt_version="v")
    (request,) = llm.seen
    assert answered.value == Colour(colour="red")
    assert answered.usage == Usage(7, 3)
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[0].text == "Name the colour in at most 9 letters.\n\nAnswer in JSON."
    assert request.messages[1].text.startswith("Text:\n<<<DATA ")
    assert request.schema == schema_of(Colour)
    assert (request.task, request.input_ref, request.creator_id) == ("colours", "post:1", 4)
    assert (request.ab_unit, request.prompt_version) == ("u", "v")


def test_a_prompt_of_another_shape_makes_no_program():
    other = parse_prompt("colour.v2", FILE.replace(b"reply: Colour", b"reply: Poem"))
    with pytest.raises(ConfigInvalid, match=r"colour\.v2 .* asks for Poem, the program reads Colour"):
        program(other)


def test_demonstrations_are_turns_with_their_material_fenced():
    llm = always('{"colour": "red"}')
    ask(program(with_demos(PROMPT, DEMOS)), llm)
    roles = [message.role for message in llm.seen[0].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    shown = llm.seen[0].messages[3].text
    assert shown.splitlines()[1].startswith("<<<DATA ")
    assert shown.splitlines()[2] == "[[ ## answer ## ]] grass"
    assert llm.seen[0].messages[4].text == '{"colour": "green"}'


MARKERS = [
    "[[ ## answer ## ]]",
    "[[ ## completed ## ]]",
    "{{limit}}",
    "{{material}}",
    "## system\n",
    "DATA",
    ">>>",
]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(MARKERS), st.text(max_size=30)), max_size=6).map("".join))
def test_material_stays_inside_the_fence(text):
    llm = always('{"colour": "red"}')
    material = f"SECRET{text}SECRET"
    ask(program(with_demos(PROMPT, [Demo(material, '{"colour": "red"}')])), llm, material)
    system, *turns = llm.seen[0].messages
    assert system.text == "Name the colour in at most 9 letters.\n\nAnswer in JSON."
    for turn in (turns[0], turns[2]):
        opening, inside = turn.text.removeprefix("Text:\n").split("\n", 1)
        token = opening.removeprefix("<<<DATA ")
        assert inside == f"{material}\nDATA {token}>>>"
        assert token not in material
    assert "SECRET" not in turns[1].text


@pytest.mark.parametrize(
    "error",
    [
        ModelTrouble("timeout", "too late", retry_after_s=3.0),
        BudgetSpent("nothing left"),
        ModelRefusal("content", "no"),
        ReplyInvalid("no JSON"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_gateway_come_as_themselves(error):
    llm = always(error)
    with pytest.raises(type(error)) as caught:
        ask(program(), llm)
    assert caught.value is error
    assert len(llm.seen) == 1


def test_an_answer_of_another_shape_is_refused_and_not_asked_again():
    llm = always('{"colour": 3}')
    with pytest.raises(ReplyInvalid, match=r"colour\.v1: colour: Input should be a valid string"):
        ask(program(), llm)
    assert len(llm.seen) == 1


def test_sampling_is_the_programs_and_a_rollout_is_a_seed():
    llm = always('{"colour": "red"}')
    lm = language_model(GatewayEngine(llm, CallContext("colours")))
    terse = Program(PROMPT, Colour, max_tokens=33)
    terse.ask(lm, limit="9", material="x")
    terse.ask(lm.copy(rollout_id=3, temperature=1.0), limit="9", material="x")
    assert [request.sampling for request in llm.seen] == [Sampling(33), Sampling(33, 1.0, seed=3)]


def test_missing_variables_are_named():
    llm = always('{"colour": "red"}')
    lm = language_model(GatewayEngine(llm, CallContext("colours")))
    with pytest.raises(ConfigInvalid, match=r"missing variables \['limit'\]"):
        program().ask(lm, material="x")
    assert llm.seen == []


def test_an_event_loop_asks_too():
    llm = always('{"colour": "red"}')
    lm = language_model(GatewayEngine(llm, CallContext("colours")))
    answered = asyncio.run(program().aask(lm, limit="9", material="x"))
    assert (answered.value.colour, answered.usage) == ("red", Usage(7, 3))
    with pytest.raises(BudgetSpent):
        broke = language_model(GatewayEngine(always(BudgetSpent("none")), CallContext("colours")))
        asyncio.run(program().aask(broke, limit="9", material="x"))


def test_threads_share_a_program_and_keep_their_contexts_apart():
    shared, llm = program(), ScriptedLlm(lambda r: json.dumps({"colour": r.input_ref}))
    with ThreadPoolExecutor(8) as pool:
        refs = [f"post:{n}" for n in range(40)]
        told = pool.map(lambda ref: ask(shared, llm, ref, input_ref=ref).value.colour, refs)
        assert list(told) == refs
    assert all(request.input_ref in request.messages[1].text for request in llm.seen)


def test_nothing_of_a_question_is_kept():
    asked, kept = program(), len(dspy.settings.trace or [])
    for _ in range(3):
        ask(asked, always('{"colour": "red"}'))
    assert (asked.history, asked.predict.history, asked.predict.traces) == ([], [], [])
    assert len(dspy.settings.trace or []) == kept


def test_the_version_names_file_and_demonstrations():
    assert program().prompt == PROMPT
    shown = with_demos(PROMPT, DEMOS)
    assert shown.version != PROMPT.version
    assert program(shown).prompt.version == shown.version
    assert with_demos(shown, ()).version == PROMPT.version
    assert (
        len({shown.version, with_demos(PROMPT, DEMOS[::-1]).version, with_demos(PROMPT, DEMOS[:1]).version})
        == 3
    )


def test_a_program_is_saved_and_loaded_without_its_model(tmp_path):
    saved = program(with_demos(PROMPT, DEMOS))
    saved.set_lm(language_model(GatewayEngine(always("{}"), CallContext("colours"))))
    saved.predict.signature = saved.predict.signature.with_instructions(
        "Say which colour, {{limit}} letters."
    )
    saved.save(tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text())["predict"]["lm"] is None
    loaded = load_program(program(), tmp_path / "p.json")
    assert loaded.prompt == saved.prompt
    assert loaded.prompt.demos == DEMOS
    llm = always('{"colour": "red"}')
    ask(loaded, llm)
    assert llm.seen[0].messages[0].text == "Say which colour, 9 letters."
    assert len(llm.seen[0].messages) == 6


def test_saved_programs_of_another_prompt_or_changed_by_hand_are_refused(tmp_path):
    path = tmp_path / "p.json"
    program(with_demos(PROMPT, DEMOS)).save(path)
    other = parse_prompt("colour.v2", FILE.replace(b"Answer in", b"Reply in"))
    target = program(other)
    with pytest.raises(ConfigInvalid, match=f"saved for prompt colour.v1 of version {PROMPT.version}"):
        load_program(target, path)
    assert target.prompt == other
    path.write_text(path.read_text().replace("the sky", "the sea"))
    with pytest.raises(ConfigInvalid, match="changed after it was saved"):
        load_program(program(), path)
    path.write_text("{}")
    with pytest.raises(ConfigInvalid, match="no saved program"):
        load_program(program(), path)
    with pytest.raises(ConfigInvalid, match="no saved program"):
        load_program(program(), tmp_path / "none.json")


def test_another_system_text_makes_another_file():
    changed = with_system(with_demos(PROMPT, DEMOS), "## Task\nName it.\n## user\nNothing.")
    assert changed.section("system") == "### Task\nName it.\n### user\nNothing."
    assert (changed.variables, changed.demos, changed.fenced) == (("material",), DEMOS, "material")
    again = with_demos(parse_prompt("colour.v1", changed.data), changed.demos)
    assert again == changed
    for text, problem in [
        ("Use {{secret}}.", "secret"),
        ("Use {{material}}.", "user section"),
        (" ", "empty"),
    ]:
        with pytest.raises(ConfigInvalid, match=problem):
            with_system(PROMPT, text)


@pytest.mark.parametrize(
    "text", ["nothing", "{}", "[1]", '[{"material": "x"}]', '[{"material": 1, "answer": ""}]']
)
def test_broken_demonstrations_are_refused(text):
    with pytest.raises(ConfigInvalid, match="demonstrations cannot be read"):
        read_demos(text)


COLOURS = {"the sky": "blue", "grass": "green", "a rose": "red", "coal": "black"}
TRAIN = [
    dspy.Example(limit="9", material=what, answer=Colour(colour=colour)).with_inputs("limit", "material")
    for what, colour in COLOURS.items()
]


def is_right(gold, told, trace=None, pred_name=None, pred_trace=None):
    return dspy.Prediction(score=float(gold.answer == told.answer), feedback=f"It was {gold.answer.colour}.")


def knows(request: LlmRequest) -> str:
    """A model that knows the colours only where it is told to think, and proposes that when asked to reflect."""
    text = " ".join(message.text for message in request.messages)
    if request.schema is None or Colour.__name__ != request.schema.name:
        return json.dumps({"new_instruction": "Think, then name the colour in at most {{limit}} letters."})
    asked = next(what for what in COLOURS if what in request.messages[-1].text)
    return json.dumps({"colour": COLOURS[asked] if "Think" in text or asked == "coal" else "grey"})


def test_bootstrapped_demonstrations_make_a_new_version():
    student = program()
    llm = ScriptedLlm(lambda r: knows(r) if "coal" in r.messages[-1].text else '{"colour": "grey"}')
    with dspy.context(lm=language_model(GatewayEngine(llm, CallContext("colours")))):
        learned = dspy.BootstrapFewShot(
            metric=lambda gold, told, trace=None: is_right(gold, told).score > 0, max_labeled_demos=0
        ).compile(student, trainset=TRAIN)
    assert learned.prompt.demos == (Demo("coal", '{"colour": "black"}'),)
    assert learned.prompt.section("system") == PROMPT.section("system")
    assert learned.prompt.version not in {PROMPT.version, student.base.version}


def test_reflected_instructions_make_a_new_prompt(tmp_path):
    llm = ScriptedLlm(knows)
    lm = language_model(GatewayEngine(llm, CallContext("colours")))
    with dspy.context(lm=lm):
        learned = dspy.GEPA(
            metric=is_right, reflection_lm=lm, max_metric_calls=30, num_threads=1, seed=0, track_stats=True
        ).compile(program(), trainset=TRAIN, valset=TRAIN)
    prompt = learned.prompt
    assert prompt.section("system") == "Think, then name the colour in at most {{limit}} letters."
    assert prompt.version != PROMPT.version
    assert parse_prompt("colour.v1", prompt.data) == prompt
    learned.save(tmp_path / "learned.json")
    assert load_program(program(), tmp_path / "learned.json").prompt == prompt
