"""What the models' API was told to do: models, scripts and faults, kept in the state file; and what it counted."""

import asyncio
import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from resources.sandbox.openai_errors import unknown_model
from resources.sandbox.openai_faults import ModelFault, OrderedFault, parse_order
from resources.sandbox.openai_match import Occasion
from resources.sandbox.openai_models import BUILT_IN, Minute, ModelCard, Tally, Ticket, parse_model
from resources.sandbox.openai_script import AnswerRule, Scripted, parse_rule
from resources.sandbox.openai_tokens import CHARACTERS_PER_TOKEN
from resources.sandbox.state import State

KEY = "rehearsal"
SECTIONS = ("models", "answers", "faults")
MOST_REMEMBERED = 200
CACHED_TOKENS = 1024
MOST_PREFIXES = 1024
Document = dict[str, Any]
Entry = TypeVar("Entry")


@dataclass(slots=True)
class Station:
    """A model with its counts and its minute's allowances."""

    card: ModelCard
    tally: Tally
    requests: Minute
    tokens: Minute


@dataclass(slots=True)
class Rehearsal:
    """The open rehearsal; recent holds the last calls, prefixes the beginnings of long prompts that were seen.

    released is set when the answers that are held back may go; then another takes its place.
    """

    state: State
    api_key: str
    stations: dict[str, Station] = field(default_factory=dict)
    rules: list[AnswerRule] = field(default_factory=list)
    faults: list[OrderedFault] = field(default_factory=list)
    total: Tally = field(default_factory=Tally)
    recent: deque[Document] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))
    prefixes: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def station(self, model: str) -> Station:
        """A model by its name.

        Raises:
            ApiError: there is none.
        """
        found = self.stations.get(model)
        if found is None:
            raise unknown_model(model)
        return found

    def enter(self, station: Station) -> Ticket:
        """Count a call of a model as begun."""
        tallies = (station.tally, self.total)
        for tally in tallies:
            tally.enter()
        return Ticket(tallies)

    def take_answer(self, occasion: Occasion) -> Scripted:
        """The next answer of the first script that is meant for a call and has one left."""
        for rule in self.rules:
            answer = rule.take(occasion)
            if answer is not None:
                return answer
        return Scripted()

    def take_fault(self, occasion: Occasion) -> ModelFault | None:
        """The first ordered fault that strikes a call; an order that is used up is gone, in the file too."""
        for order in self.faults:
            if order.strikes(occasion):
                if order.times is not None:
                    self.faults = [kept for kept in self.faults if kept.times != 0]
                    self.save()
                return order.fault
        return None

    def release(self) -> None:
        """Let the answers go that are held back now."""
        self.released.set()
        self.released = asyncio.Event()

    def cached_tokens(self, model: str, prompt: str) -> int:
        """How much of a prompt was seen before: its first 1,024 tokens or nothing."""
        size = CACHED_TOKENS * CHARACTERS_PER_TOKEN
        if len(prompt) < size:
            return 0
        beginning = f"{model}\n{prompt[:size]}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(beginning, digest_size=16).digest()
        is_known = digest in self.prefixes
        self.prefixes[digest] = None
        self.prefixes.move_to_end(digest)
        if len(self.prefixes) > MOST_PREFIXES:
            self.prefixes.popitem(last=False)
        return CACHED_TOKENS if is_known else 0

    def add(self, document: Document) -> None:
        """Add models (one of the same id is replaced), scripts and faults behind those that are there, or nothing.

        Raises:
            ValueError: something in the document cannot be used; the message names it.
        """
        cards, rules, faults = parse_document(document)
        for card in cards:
            self.install(card)
        self.rules += rules
        self.faults += faults
        self.save()

    def install(self, card: ModelCard) -> None:
        """Put a model in place; its counts go on."""
        known = self.stations.get(card.id)
        tally = Tally() if known is None else known.tally
        minutes = Minute(card.requests_per_min), Minute(card.tokens_per_min)
        self.stations[card.id] = Station(card, tally, *minutes)

    def reset(self, what: Iterable[str]) -> None:
        """Go back to the beginning with some of models, answers, faults and counts."""
        chosen = set(what)
        if "models" in chosen:
            kept = {name: station.tally for name, station in self.stations.items()}
            self.stations = {}
            for card in BUILT_IN:
                self.install(card)
                self.stations[card.id].tally = kept.get(card.id, Tally())
        self.rules = [] if "answers" in chosen else self.rules
        self.faults = [] if "faults" in chosen else self.faults
        if "counts" in chosen:
            self.forget_counts()
        self.save()

    def forget_counts(self) -> None:
        """Count from zero; calls that are in flight go on being so."""
        for holder in (self.total, *(station.tally for station in self.stations.values())):
            fresh = Tally(in_flight=holder.in_flight, most_in_flight=holder.in_flight)
            for name in Tally.__dataclass_fields__:
                setattr(holder, name, getattr(fresh, name))
        self.recent.clear()
        self.prefixes.clear()

    def document(self) -> Document:
        """All that was set up, in the shape of a script file."""
        return {
            "models": [station.card.as_json() for station in self.stations.values()],
            "answers": [rule.given for rule in self.rules],
            "faults": [order.as_json() for order in self.faults],
        }

    def save(self) -> None:
        """Write what was set up to the state file."""
        self.state.set_meta(KEY, json.dumps(self.document()))


def open_rehearsal(state: State, api_key: str) -> Rehearsal:
    """The rehearsal in a state file; a new one has the built-in models."""
    rehearsal = Rehearsal(state, api_key)
    for card in BUILT_IN:
        rehearsal.install(card)
    stored = state.meta(KEY)
    if stored is not None:
        cards, rehearsal.rules, rehearsal.faults = parse_document(json.loads(stored))
        for card in cards:
            rehearsal.install(card)
    return rehearsal


def load_script(state: State, path: Path) -> None:
    """Replace a state's rehearsal by a script file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON, or something in it cannot be used; the message names it.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    parse_document(document)
    state.set_meta(KEY, json.dumps(document))


def parse_document(document: Any) -> tuple[list[ModelCard], list[AnswerRule], list[OrderedFault]]:
    """Models, scripts and faults of a script file.

    Raises:
        ValueError: something in it cannot be used; the message says which entry and why.
    """
    # What cannot be written as JSON again (NaN, half a surrogate pair) raises a ValueError here.
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
    if not isinstance(document, dict) or set(document) - set(SECTIONS):
        raise ValueError(f"a script file is a JSON object with {', '.join(SECTIONS)}")
    return (
        parse_section(document, "models", parse_model),
        parse_section(document, "answers", parse_rule),
        parse_section(document, "faults", parse_order),
    )


def parse_section(document: Document, name: str, parse: Callable[[Any], Entry]) -> list[Entry]:
    """The entries of one section."""
    entries = document.get(name, [])
    if not isinstance(entries, list):
        raise ValueError(f"{name} must be a list")
    parsed = []
    for number, raw in enumerate(entries):
        try:
            parsed.append(parse(raw))
        except ValueError as error:
            raise ValueError(f"{name}[{number}]: {error}") from None
    return parsed
