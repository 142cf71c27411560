"""What the gateway adds to a call of a model: its wrappers beside LiteLLM alone, its limits, its memory.

The server of models is the sandbox in a process of its own. Overhead: pairs of calls of the same length, one through
the gateway and one through LiteLLM's `completion`; which goes first alternates, so that what else the machine does hits
both alike. No two calls ask the same, so that no answer comes from the cache. Limits: many threads call at once, the
server counts how many of their calls it had in hand. Memory: the process's resident memory on the way.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.own_home import own_home
from bench.rehearsed_models import RehearsedModels, rehearsed_models
from rejoinder.llm.requests import LlmRequest, Message, Sampling

if TYPE_CHECKING:
    from pydantic import SecretStr

    from rejoinder.llm.endpoints import Endpoint
    from rejoinder.llm.ports import ModelClient
    from resources.llm.gateway.gateway import Gateway
    from resources.tuning import Tuning

# As long as a call that judges a claim with its evidence: about 1,000 tokens.
TEXT = "The speed of sound in dry air at twenty degrees is about 343 metres per second. " * 50
ANSWER_TOKENS = 64
WARM_UP = 20
THREADS = 200
LIMIT = 20
AT_ONCE_LATENCY_S = 0.25
# Calls handed to the threads at once: each holds its answer until it is looked at, which is no memory of the gateway's.
BLOCK = 200
MEMORY_THREADS = 8
SETTLED = 0.2  # share of the calls after which memory is looked at for the first time
TIMEOUT_S = 60.0

Ask = Callable[[int], object]


def n_steps(pairs: int, calls: int) -> int:
    """How often `measure_gateway` reports an advance."""
    return pairs + calls + THREADS


def measure_gateway(
    *, pairs: int, calls: int, latency_ms: float, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Run the benchmark in a home of its own, which is removed afterwards.

    Args:
        pairs: calls on either side, at least 10.
        calls: calls over which memory is watched, at least 100.
        latency_ms: how long the rehearsed model takes for an answer of the pairs.
        advance: told of each call done.

    Returns:
        value is the median over pairs of what the gateway's call took longer, in ms; p95_added_ms the difference of
        both sides' 95th percentiles; baseline the median of LiteLLM alone, ratio that of the gateway over it.
    """
    with own_home() as home, rehearsed_models(home) as models, _opened(home, models) as gateway:
        numbers = itertools.count()
        ours, bare = partial(_ask, gateway), _litellm_alone(models)
        return {
            "name": "gateway",
            **_overhead(models, ours, bare, pairs, latency_ms, numbers, advance),
            **_processor(models, ours, bare, max(50, pairs // 2), numbers),
            **_repeated(ours, pairs, numbers),
            **_limits(models, ours, numbers, advance),
            **_memory(ours, calls, numbers, advance),
        }


@contextmanager
def _opened(home: Path, models: RehearsedModels) -> Iterator["Gateway"]:
    """The gateway on a fresh database, with one endpoint."""
    from pydantic import SecretStr

    from resources.llm.gateway.opening import open_gateway
    from resources.provision import prepare
    from resources.settings import use_home

    addresses = prepare(use_home(home))
    gateway = open_gateway(addresses.app, _tuning(models), open_model=partial(_client, SecretStr(models.key)))
    try:
        yield gateway
    finally:
        gateway.close()


def _client(key: "SecretStr", endpoint: "Endpoint") -> "ModelClient":
    from resources.llm.providers.registry import open_client

    return open_client(endpoint, key)


def _tuning(models: RehearsedModels) -> "Tuning":
    from resources.tuning import Tuning

    endpoint = {
        "uri": "openai::rehearsal",
        "base_url": models.base_url,
        "max_concurrent": LIMIT,
        "price_in": 0.1,
        "price_out": 0.4,
        "timeout_s": TIMEOUT_S,
    }
    called = {"default": ["rehearsed"], "queue_s": 600}
    budget = {"total_usd": 1000, "creator_usd": 1000}
    return Tuning.model_validate({"endpoints": {"rehearsed": endpoint}, "models": called, "budget": budget})


def _asked(number: int) -> LlmRequest:
    message = Message("user", f"{TEXT}Is that so? ({number})")
    return LlmRequest("bench", (message,), sampling=Sampling(max_tokens=ANSWER_TOKENS))


def _ask(gateway: "Gateway", number: int) -> object:
    return gateway.complete(_asked(number))


def _litellm_alone(models: RehearsedModels) -> Ask:
    """LiteLLM as one calls it without us, with one client for all calls, which is how it is fastest.

    It is as quiet as ours: what it would do with an answer in a thread of its own would be counted against whoever asks
    next.
    """
    import openai

    from resources.llm.providers.quiet_litellm import quiet_litellm

    litellm = quiet_litellm()
    client = openai.OpenAI(api_key=models.key, base_url=models.base_url, max_retries=0, timeout=TIMEOUT_S)

    def ask(number: int) -> object:
        asked = _asked(number)
        return litellm.completion(
            model="openai/rehearsal",
            messages=[{"role": message.role, "content": message.text} for message in asked.messages],
            max_tokens=asked.sampling.max_tokens,
            temperature=asked.sampling.temperature,
            client=client,
            num_retries=0,
            timeout=TIMEOUT_S,
        )

    return ask


def _ms(ask: Ask, number: int) -> float:
    started = time.perf_counter()
    ask(number)
    return (time.perf_counter() - started) * 1000


def _overhead(
    models: RehearsedModels,
    ours: Ask,
    bare: Ask,
    pairs: int,
    latency_ms: float,
    numbers: Iterator[int],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    for _ in range(WARM_UP):
        ours(next(numbers))
        bare(next(numbers))
    models.latency(latency_ms / 1000)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(pairs):
        for is_ours in (True, False) if number % 2 else (False, True):
            taken[is_ours].append(_ms(ours if is_ours else bare, next(numbers)))
        advance(1)
    return {**_compared(taken[True], taken[False]), "pairs": pairs, "model_latency_ms": latency_ms}


def _compared(ours: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    added = [one - other for one, other in zip(ours, bare, strict=True)]
    median = statistics.median(bare)
    return {
        "value": round(statistics.median(added), 3),
        "unit": "ms",
        "p95_added_ms": round(_p95(ours) - _p95(bare), 3),
        "baseline": round(median, 3),
        "baseline_is": "litellm.completion on the same server in the same run",
        "ratio": round(statistics.median(ours) / median, 4),
    }


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def _processor(
    models: RehearsedModels, ours: Ask, bare: Ask, n: int, numbers: Iterator[int]
) -> dict[str, Any]:
    """Processor time of this process for a call, without the model's server and without PostgreSQL's."""
    models.latency(0)
    spent_ms = {"gateway": 0.0, "litellm": 0.0}
    for _ in range(n):
        for name, ask in (("gateway", ours), ("litellm", bare)):
            spent_ms[name] += _processor_ms(ask, next(numbers))
    return {f"processor_ms_{name}": round(total / n, 3) for name, total in spent_ms.items()}


def _processor_ms(ask: Ask, number: int) -> float:
    started = time.process_time()
    ask(number)
    return (time.process_time() - started) * 1000


def _repeated(ours: Ask, n: int, numbers: Iterator[int]) -> dict[str, Any]:
    """A question that was answered before."""
    number = next(numbers)
    ours(number)
    return {"cached_p50_ms": round(statistics.median(_ms(ours, number) for _ in range(n)), 3)}


def _limits(
    models: RehearsedModels, ours: Ask, numbers: Iterator[int], advance: Callable[[int], None]
) -> dict[str, Any]:
    """All threads call at once; the server says how many calls it had in hand."""
    models.latency(AT_ONCE_LATENCY_S)
    models.forget_counts()
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(ours, itertools.islice(numbers, THREADS)):
            advance(1)
    counted = models.counts()
    return {
        "concurrent_calls": THREADS,
        "concurrent_limit": LIMIT,
        "most_in_flight": counted["most_in_flight"],
        "concurrent_wall_s": round(time.perf_counter() - started, 2),
        "concurrent_least_s": THREADS / LIMIT * AT_ONCE_LATENCY_S,
        "answered": counted["calls"],
    }


@dataclass(frozen=True, slots=True)
class _Memory:
    """Calls done, and the process's resident memory then."""

    calls: int
    mib: float


def _memory(ours: Ask, calls: int, numbers: Iterator[int], advance: Callable[[int], None]) -> dict[str, Any]:
    import psutil

    process = psutil.Process()
    first = round(calls * SETTLED)
    seen = []
    with ThreadPoolExecutor(MEMORY_THREADS) as pool:
        for n in (first, calls - first):
            for start in range(0, n, BLOCK):
                for _ in pool.map(ours, itertools.islice(numbers, min(BLOCK, n - start))):
                    advance(1)
            seen.append(_Memory(n, process.memory_info().rss / 2**20))
    early, late = seen
    return {
        f"memory_mib_at_{first}": round(early.mib, 1),
        f"memory_mib_at_{calls}": round(late.mib, 1),
        "memory_growth_kib_per_1000_calls": round((late.mib - early.mib) * 1024 / late.calls * 1000, 1),
    }
