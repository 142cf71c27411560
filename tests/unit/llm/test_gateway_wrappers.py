"""The gateway's wrappers one by one, each around a small real one: repeating, one flight, the chain's failures."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from rejoinder.errors import BudgetSpent, ModelRefusal, ModelTrouble, RejoinderError, ReplyInvalid
from rejoinder.llm.backoff import Backoff
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, RawReply
from resources.llm.gateway.calls import Answer, Call, error_in_words
from resources.llm.gateway.chains import Chains, Link
from resources.llm.gateway.fallback import Failure, Fallback, told
from resources.llm.gateway.retrying import Retrying
from resources.llm.gateway.single_flight import SingleFlight
from resources.tuning_models import Models, TaskModels

FIRST, SECOND, THIRD = (Endpoint(name, parse_uri(f"openai::{name}")) for name in ("first", "second", "third"))
SMALL = Endpoint("small", parse_uri("openai::small"), context_tokens=300)
SO = RawReply("so")


@dataclass
class Clock:
    """A clock that only waits move."""

    time: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class Saying:
    """An endpoint that says what it was told to, one after the other; the last again and again."""

    said: Sequence[RawReply | BaseException]
    n_asked: int = 0

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        said = self.said[min(self.n_asked, len(self.said) - 1)]
        self.n_asked += 1
        if isinstance(said, BaseException):
            raise said
        return said


def call(text: str = "Is that so?", deadline: float = 100.0, task: str = "reply") -> Call:
    return Call(LlmRequest(task, (Message("user", text),)), "champion", deadline)


def trouble(kind: Any = "server", retry_after_s: float | None = None) -> ModelTrouble:
    return ModelTrouble(kind, f"trouble {kind}", retry_after_s=retry_after_s)


def retrying(said: Sequence[RawReply | BaseException], clock: Clock, attempts: int = 3) -> Retrying:
    return Retrying(Saying(said), Backoff(attempts, 1.0, 10.0), clock, clock.sleep, lambda: 0.5)


def test_passing_trouble_is_tried_again_with_growing_waits() -> None:
    clock = Clock()
    assert retrying([trouble(), trouble("timeout"), SO], clock).ask(call(), call().request) == SO
    assert clock.waits == [0.5, 1.0]


def test_an_asked_wait_is_waited_and_one_that_is_too_long_is_not() -> None:
    clock = Clock()
    assert retrying([trouble("rate_limit", 7.0), SO], clock).ask(call(), call().request) == SO
    assert clock.waits == [7.5]
    with pytest.raises(ModelTrouble):
        retrying([trouble("rate_limit", 10.5), SO], clock).ask(call(), call().request)
    assert clock.waits == [7.5]


@pytest.mark.parametrize(
    "error",
    [
        trouble("busy"),
        trouble("open"),
        ModelRefusal("content", "no"),
        BudgetSpent("none left"),
        ReplyInvalid("no JSON"),
        KeyError("bug"),
    ],
    ids=error_in_words,
)
def test_what_another_try_does_not_change_is_not_tried(error: Exception) -> None:
    clock = Clock()
    with pytest.raises(type(error)):
        retrying([error, SO], clock).ask(call(), call().request)
    assert clock.waits == []


def test_attempts_end_and_so_does_the_time_of_the_call() -> None:
    clock, endless = Clock(), [trouble()]
    with pytest.raises(ModelTrouble, match="trouble server"):
        retrying(endless, clock).ask(call(), call().request)
    assert len(clock.waits) == 2
    clock = Clock()
    with pytest.raises(ModelTrouble):
        retrying(endless, clock, attempts=10).ask(call(deadline=4.0), call().request)
    assert clock.waits == [0.5, 1.0, 2.0]


def chains(*linked: tuple[Endpoint, Saying], choose: Any = "in_order") -> Chains:
    names = tuple(endpoint.name for endpoint, _ in linked)
    models = Models(tasks={"reply": TaskModels(endpoints=names, choose=choose)})
    return Chains(models, {e.name: Link(e, asking) for e, asking in linked}, lambda names: {"first": 2})


def answered(*said: RawReply | BaseException, endpoints: Sequence[Endpoint] = (FIRST, SECOND, THIRD)) -> Any:
    """The answer, or the error, of a chain in which each endpoint says one thing."""
    linked = [(endpoint, Saying([one])) for endpoint, one in zip(endpoints, said, strict=False)]
    try:
        return Fallback(chains(*linked)).answer(call())
    except RejoinderError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [trouble(), trouble("open"), ModelRefusal("key", "wrong"), ModelRefusal("price", "?"),
     ModelRefusal("context", "long"), BudgetSpent("none left"), ReplyInvalid("no JSON")],
    ids=error_in_words,
)  # fmt: skip
def test_the_next_is_asked(error: Exception) -> None:
    assert answered(error, SO) == Answer(SO, SECOND)


def test_what_the_content_forbids_is_not_tried_elsewhere() -> None:
    error = answered(ModelRefusal("content", "first: not this"), SO)
    assert isinstance(error, ModelRefusal) and error.kind == "content"


def test_a_bug_is_not_hidden_by_the_next_endpoint() -> None:
    with pytest.raises(KeyError):
        answered(KeyError("bug"), SO)


def test_the_only_failure_is_told_as_it_is() -> None:
    error = trouble()
    assert answered(error) is error


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([ModelRefusal("key", "k"), trouble("server")], ModelTrouble),
        ([BudgetSpent("b"), trouble("server")], ModelTrouble),
        # Who was not asked may not be for long: tried again, the one that was asked would be paid each time.
        ([ReplyInvalid("i"), trouble("open")], ReplyInvalid),
        ([trouble("busy"), trouble("open")], ModelTrouble),
        ([ModelRefusal("key", "k"), BudgetSpent("b")], BudgetSpent),
        ([ReplyInvalid("i"), BudgetSpent("b")], BudgetSpent),
        ([ModelRefusal("key", "k"), ReplyInvalid("i")], ReplyInvalid),
        ([ModelRefusal("key", "k"), ModelRefusal("price", "p")], ModelRefusal),
    ],
)
def test_the_most_telling_failure_is_raised_with_the_whole_chain(
    errors: list[RejoinderError], expected: type[RejoinderError]
) -> None:
    error = answered(*errors)
    assert type(error) is expected
    assert str(error).startswith("No endpoint answered the task reply. first: ")
    assert f"second: {errors[1]}" in str(error)


def test_the_shortest_wait_and_the_fix_are_kept() -> None:
    failures = [
        Failure(FIRST, trouble("rate_limit", 90.0)),
        Failure(SECOND, trouble("open", 30.0)),
        Failure(THIRD, trouble()),
    ]
    error = told("reply", failures)
    assert isinstance(error, ModelTrouble) and (error.kind, error.retry_after_s) == ("rate_limit", 30.0)
    fix = told("reply", [Failure(FIRST, ModelRefusal("price", "p", fix="Name it.")), failures[0]][:1]).fix
    assert fix == "Name it."


def test_what_has_no_room_is_not_sent() -> None:
    small, large = Saying([SO]), Saying([SO])
    asked = call("word " * 300)
    assert Fallback(chains((SMALL, small), (SECOND, large))).answer(asked).endpoint == SECOND
    assert (small.n_asked, large.n_asked) == (0, 1)
    (attempt,) = asked.attempts
    assert (attempt.endpoint, attempt.outcome, attempt.cost_usd) == ("small", "context", 0.0)
    error = answered(SO, endpoints=[SMALL])
    assert isinstance(error, ModelRefusal) and error.kind == "context"


def test_a_kept_answer_stands_in_only_when_those_before_it_fail() -> None:
    first, second = Saying([trouble()]), Saying([SO])
    asked = call()
    asked.kept = {"second": Answer(RawReply("kept"), SECOND, is_cached=True)}
    assert Fallback(chains((FIRST, first), (SECOND, second))).answer(asked).raw.text == "kept"
    assert (first.n_asked, second.n_asked) == (1, 0)


def test_the_least_loaded_is_asked_first() -> None:
    linked = ((FIRST, Saying([SO])), (SECOND, Saying([SO])))
    assert Fallback(chains(*linked, choose="least_loaded")).answer(call()).endpoint == SECOND


@dataclass
class Held:
    """An inner wrapper whose answers wait until they are let go; the first to come may end otherwise."""

    endings: list[RawReply | BaseException] = field(default_factory=list)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    release: threading.Event = field(default_factory=threading.Event)
    n_asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: Call) -> Answer:
        with self.lock:
            number = self.n_asked
            self.n_asked += 1
        self.entered.release()
        assert self.release.wait(20)
        ending = self.endings[number] if number < len(self.endings) else SO
        if isinstance(ending, BaseException):
            raise ending
        return Answer(ending, FIRST)


def flown(held: Held, n: int, make: Callable[[], Call] = call, *, is_on: bool = True) -> list[Any]:
    """What n equal calls at once get: answers and errors. They are recorded when all have it."""
    made: list[Call] = []
    flight = SingleFlight(held, chains((FIRST, Saying([SO]))), Clock(), is_on=is_on)
    waiting = threading.Semaphore(0)
    follow = flight._follow

    def noted(*given: Any) -> Any:
        waiting.release()
        return follow(*given)

    flight._follow = noted  # type: ignore[method-assign]

    def one() -> Any:
        own = make()
        made.append(own)
        try:
            return flight.answer(own)
        except Exception as error:
            return error

    with ThreadPoolExecutor(n) as pool:
        found = [pool.submit(one) for _ in range(n)]
        assert held.entered.acquire(timeout=20)
        for _ in range(n - 1):
            assert (waiting if is_on else held.entered).acquire(timeout=20)
        held.release.set()
        results = [one.result(20) for one in found if one.exception(20) is None]
    for done in [done for own in made for done in own.afterwards]:
        done()
    assert flight._flights == {}
    return results


def test_equal_calls_at_once_are_sent_once() -> None:
    held = Held()
    found = flown(held, 8)
    assert held.n_asked == 1
    assert sorted(answer.is_cached for answer in found) == [False] + [True] * 7


def test_nothing_is_shared_where_nothing_is_kept() -> None:
    held = Held()
    found = flown(held, 4, is_on=False)
    assert held.n_asked == 4 and not any(answer.is_cached for answer in found)


@pytest.mark.parametrize("error", [ModelRefusal("key", "wrong"), ReplyInvalid("no JSON")], ids=error_in_words)
def test_a_failure_of_the_question_is_everybodys(error: RejoinderError) -> None:
    held = Held([error] * 9)
    found = flown(held, 5)
    assert held.n_asked == 1
    assert {(type(one), str(one)) for one in found} == {(type(error), str(error))}


@pytest.mark.parametrize("error", [trouble(), BudgetSpent("its creator's"), KeyError("bug"), SystemExit()])
def test_a_failure_of_the_first_alone_is_not_the_others(error: BaseException) -> None:
    held = Held([error])
    found = flown(held, 5)
    assert sum(isinstance(one, Answer) for one in found) == 4
    assert held.n_asked == 2


def test_after_two_that_failed_each_goes_by_itself() -> None:
    held = Held([trouble(), trouble()])
    found = flown(held, 6)
    assert sum(isinstance(one, Answer) for one in found) == 4
    assert 3 <= held.n_asked <= 6


def test_one_whose_chain_goes_further_does_not_wait_for_one_whose_chain_ends() -> None:
    local = Endpoint("local", parse_uri("local::extractive"))
    links = {endpoint.name: Link(endpoint, Saying([SO])) for endpoint in (FIRST, local)}
    tasks = {"short": TaskModels(endpoints=("first",)), "long": TaskModels(endpoints=("first", "local"))}
    held = Held([ModelRefusal("key", "wrong")])
    flight = SingleFlight(held, Chains(Models(tasks=tasks), links, lambda names: {}), Clock(), is_on=True)
    with ThreadPoolExecutor(2) as pool:
        ending = pool.submit(flight.answer, call(task="short"))
        assert held.entered.acquire(timeout=20)
        going_on = pool.submit(flight.answer, call(task="long"))
        entered = held.entered.acquire(timeout=20)
        held.release.set()
        assert isinstance(ending.exception(20), ModelRefusal)
        assert entered and going_on.result(20).raw == SO


def test_one_who_waits_gives_up_at_its_own_deadline() -> None:
    held = Held()
    flight = SingleFlight(held, chains((FIRST, Saying([SO]))), Clock(), is_on=True)
    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(flight.answer, call())
        assert held.entered.acquire(timeout=20)
        with pytest.raises(ModelTrouble, match="under way"):
            flight.answer(call(deadline=0.01))
        held.release.set()
        assert leading.result(20).raw == SO


def test_who_comes_when_the_answer_is_there_but_not_yet_kept_gets_it() -> None:
    held = Held()
    held.release.set()
    flight = SingleFlight(held, chains((FIRST, Saying([SO]))), Clock(), is_on=True)
    leading = call()
    flight.answer(leading)
    assert flight.answer(call()).is_cached and held.n_asked == 1
    for done in leading.afterwards:
        done()
    assert not flight.answer(call()).is_cached and held.n_asked == 2
