"""Which endpoints a call may go to: per task and side of an A/B test, each with what it is wrapped in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rejoinder.llm.cache_key import cache_key
from rejoinder.llm.choosing import WITHOUT_MODEL, Choice, arm_of, order_endpoints
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import Arm, LlmRequest
from resources.llm.gateway.calls import Asking, Call

if TYPE_CHECKING:
    from resources.tuning_models import Models

# Chains that are remembered; whoever invents names of tasks gets theirs made at every call.
MOST_TASKS = 200
# Places taken now at endpoints, by name.
Load = Callable[[tuple[str, ...]], Mapping[str, int]]
# What tells a model's files from others of its name; "" where it has none on this machine, None where they are missing.
Files = Callable[[Endpoint], str | None]
# Providers whose models are files of this machine.
ON_THIS_MACHINE = frozenset({"llamacpp", "mlx"})


def files_of_model(endpoint: Endpoint) -> str | None:
    """What tells the files of an endpoint's model from others of its name; see `Files`."""
    if endpoint.uri.provider not in ON_THIS_MACHINE:
        return ""
    from resources.llm.local_models.identity import identity_of
    from resources.settings import load_settings

    return identity_of(endpoint, load_settings().home_dir)


@dataclass(frozen=True, slots=True)
class Link:
    """An endpoint and the wrappers around it."""

    endpoint: Endpoint
    asking: Asking

    @property
    def asks_a_model(self) -> bool:
        """Whether a model answers, and not the request itself."""
        return self.endpoint.uri.provider != WITHOUT_MODEL


@dataclass(frozen=True, slots=True)
class Chain:
    """The endpoints of a task on one side, first choice first, how the first is chosen, and their models' files."""

    links: tuple[Link, ...]
    choose: Choice
    files: Mapping[str, str | None]

    def keys(self, request: LlmRequest) -> dict[str, bytes]:
        """The keys of the answers that may be kept, by endpoint; none where a task is answered without a model.

        A model whose files are missing when the process first asks has no key: nobody knows what comes in their place.
        """
        if not self.links[0].asks_a_model:
            return {}
        asked = [link.endpoint for link in self.links if link.asks_a_model]
        known = [(one, files) for one in asked if (files := self.files[one.name]) is not None]
        return {one.name: cache_key(request, one, files) for one, files in known}

    @property
    def names(self) -> tuple[str, ...]:
        """The endpoints by name, first choice first."""
        return tuple(link.endpoint.name for link in self.links)

    def first_choices(self) -> Sequence[str]:
        """Endpoints whose answers are as good as one another: the first, or all where price or load chooses."""
        return self.names[:1] if self.choose == "in_order" else self.names


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of all tasks.

    Args:
        models: who answers which task.
        links: every endpoint that there is, by name.
        load: places taken now; asked only where the least loaded is wanted.
        files_of: what tells a model's files from others; asked once for each endpoint, since a process goes on with the
            model that it has loaded.
        files: what it said.
        made: chains that were made already.
    """

    models: "Models"
    links: Mapping[str, Link]
    load: Load
    files_of: Files = files_of_model
    files: dict[str, str | None] = field(default_factory=dict)
    made: dict[tuple[str, Arm], Chain] = field(default_factory=dict)

    def arm(self, request: LlmRequest) -> Arm:
        """The side of the task's A/B test that the request is on."""
        return arm_of(request.task, request.ab_unit, self.models.task(request.task).challenger_share)

    def of(self, call: Call) -> Chain:
        """The chain of a call, as configured."""
        key = (call.request.task, call.arm)
        chain = self.made.get(key)
        if chain is None:
            chain = self._make(*key)
            if len(self.made) < MOST_TASKS:
                self.made[key] = chain
        return chain

    def _make(self, task: str, arm: Arm) -> Chain:
        chosen = self.models.task(task)
        names = chosen.challenger if arm == "challenger" else chosen.endpoints
        links = tuple(self.links[name] for name in dict.fromkeys(names))
        return Chain(links, chosen.choose, {link.endpoint.name: self._files(link.endpoint) for link in links})

    def _files(self, endpoint: Endpoint) -> str | None:
        if endpoint.name not in self.files:
            # Of two threads that look at once the first counts.
            self.files.setdefault(endpoint.name, self.files_of(endpoint))
        return self.files[endpoint.name]

    def ordered(self, call: Call) -> list[Link]:
        """Whom to ask, first choice first.

        Raises:
            ModelRefusal: none of them can do it.
        """
        chain = self.of(call)
        if len(chain.links) == 1:
            return list(chain.links)
        endpoints = [link.endpoint for link in chain.links]
        load = self.load(tuple(e.name for e in endpoints)) if chain.choose == "least_loaded" else None
        ordered = order_endpoints(chain.choose, endpoints, call.request, load)
        return [self.links[endpoint.name] for endpoint in ordered]
