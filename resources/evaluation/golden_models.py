"""Which model answers golden cases: the answers without a model, or a program on an endpoint of the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import ModelUri, parse_uri
from rejoinder.prompts.loader import Prompt, load_prompt
from resources.evaluation.golden import TaskName
from resources.evaluation.golden_answers import Answerer
from resources.evaluation.golden_offline import offline_answerer
from resources.evaluation.golden_programs import PROGRAMS, GoldenProgram, ProgramAnswerer
from resources.llm.shelf import DEFAULT_MODEL, Shelf
from resources.settings import Settings
from resources.tuning import Tuning, load_tuning
from resources.tuning_models import LOCAL, LOCAL_URI, EndpointTuning, TaskModels

# Providers whose models run on a machine of one's own: nobody sends a bill.
OWN_MACHINE = frozenset({"mlx", "llamacpp", "ollama"})
FRAMES = "reply_extractive"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: a model's URI or the name of an endpoint, and the prompt file, as ``reply.v1``.

    base_url and prices (US dollars for a million tokens) make an endpoint of a URI that rejoinder.toml has none for.
    """

    model: str | None = None
    endpoint: str | None = None
    prompt: str | None = None
    base_url: str | None = None
    price_in: float | None = None
    price_out: float | None = None

    @property
    def is_local(self) -> bool:
        """Whether no model is asked."""
        return self.endpoint in (None, LOCAL) and self.model in (None, LOCAL, LOCAL_URI)

    @property
    def is_made(self) -> bool:
        """Whether something of the endpoint is given with the command."""
        return not (self.base_url is None and self.price_in is None and self.price_out is None)


@contextmanager
def open_answerer(task: TaskName, choice: Choice, settings: Settings) -> Iterator[Answerer]:
    """Whoever answers the cases of a task; the gateway is open as long as the context is.

    Raises:
        ConfigInvalid: there is no such prompt or endpoint, or something of the endpoint is missing.
        ServiceUnavailable: PostgreSQL cannot be reached; without a model it is not needed.
    """
    if choice.is_local:
        yield offline_answerer(task, Shelf().named(DEFAULT_MODEL), _frames(choice.prompt))
        return
    golden = PROGRAMS[task]
    prompt = named_prompt(choice.prompt, golden.task) if choice.prompt else None
    name, tuning = tuning_for(golden.task, choice, load_tuning(settings))
    with _asking(golden, prompt, tuning.endpoints[name].uri, tuning, settings) as answerer:
        yield answerer


@contextmanager
def _asking(
    golden: GoldenProgram, prompt: Prompt | None, uri: str, tuning: Tuning, settings: Settings
) -> Iterator[Answerer]:
    """The program on the gateway; without a prompt with the one that is in force."""
    from resources.llm.gateway.opening import open_gateway
    from resources.postgres import Database
    from resources.programs import open_program
    from resources.provision import prepare
    from resources.store.prompt_versions import read_in_force

    url = prepare(settings).app
    if prompt is None:
        db = Database(url, max_size=1).open()
        try:
            with db.transaction() as tx:
                prompt = read_in_force(tx, golden.task).champion
        finally:
            db.close()
    gateway = open_gateway(url, tuning)
    try:
        yield ProgramAnswerer(uri, prompt, open_program(gateway, golden.task, golden.make), golden)
    finally:
        gateway.close()


def named_prompt(name: str, task: str) -> Prompt:
    """The prompt file ``<task>.v<N>``.

    Raises:
        ConfigInvalid: the name has another form, the prompt is another task's, or there is no such file.
    """
    found, dot, number = name.removesuffix(".md").rpartition(".v")
    if not dot or not number.isdigit():
        raise ConfigInvalid(f"--prompt {name}: that is no prompt.", fix=f"Write it as TASK.vN: {task}.v1.")
    if found != task:
        raise ConfigInvalid(f"--prompt {name}: here a prompt of {task} is needed, such as {task}.v1.")
    return load_prompt(found, int(number))


def tuning_for(task: str, choice: Choice, tuning: Tuning) -> tuple[str, Tuning]:
    """The tuning with one endpoint and no other for the task, and the endpoint's name.

    An endpoint of rejoinder.toml is taken by its name, or by its URI where nothing else of it is given; else one is
    made, with the provider's name, so that its key is REJOINDER_KEY_<PROVIDER>.

    Raises:
        ConfigInvalid: there is no such endpoint, or what its model costs is not known.
    """
    name, made = _endpoint(choice, tuning)
    models = tuning.models.model_copy(
        update={"tasks": {**tuning.models.tasks, task: TaskModels(endpoints=(name,))}}
    )
    return name, tuning.model_copy(update={"endpoints": {**tuning.endpoints, name: made}, "models": models})


def _endpoint(choice: Choice, tuning: Tuning) -> tuple[str, EndpointTuning]:
    if choice.endpoint is not None:
        if choice.model is not None or choice.is_made:
            raise ConfigInvalid(
                "--endpoint names all of an endpoint.", fix="Leave the options of --model out."
            )
        if choice.endpoint not in tuning.endpoints:
            known = ", ".join(tuning.endpoints) or "none"
            raise ConfigInvalid(f"There is no section [endpoints.{choice.endpoint}]; there are: {known}.")
        return choice.endpoint, tuning.endpoints[choice.endpoint]
    uri = parse_uri(choice.model or LOCAL_URI)
    same = [name for name, known in tuning.endpoints.items() if known.uri == str(uri)]
    if same and not choice.is_made:
        return same[0], tuning.endpoints[same[0]]
    return _free_name(uri, tuning), _made(uri, choice)


def _made(uri: ModelUri, choice: Choice) -> EndpointTuning:
    free = 0.0 if uri.provider in OWN_MACHINE else None
    price_in = free if choice.price_in is None else choice.price_in
    price_out = free if choice.price_out is None else choice.price_out
    if price_in is None or price_out is None:
        raise ConfigInvalid(
            f"What {uri} costs is not known, so no budget can be kept.",
            fix="Give --price-in and --price-out (US dollars for a million tokens), or an [endpoints.NAME] in "
            "rejoinder.toml that has them.",
        )
    return EndpointTuning(
        uri=str(uri), key=uri.provider, base_url=choice.base_url, price_in=price_in, price_out=price_out
    )


def _free_name(uri: ModelUri, tuning: Tuning) -> str:
    """The provider's name, unless rejoinder.toml has an endpoint of that name: its health is its own."""
    return uri.provider if uri.provider not in tuning.endpoints else f"{uri.provider}-evaluated"


def _frames(name: str | None) -> Prompt | None:
    """The frames of replies, which are all the prompt there is without a model."""
    if name is None:
        return None
    if not name.startswith(f"{FRAMES}."):
        raise ConfigInvalid(
            f"--prompt {name}: without a model only the frames of replies are a prompt ({FRAMES}.v1).",
            fix="Name a model (--model), or leave --prompt out.",
        )
    return named_prompt(name, FRAMES)
