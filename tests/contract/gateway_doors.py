"""What tests of the whole gateway share: a plain client of OpenAI's chat API, a gateway on the test's own database."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.ports import ModelClient
from rejoinder.llm.requests import Finish, LlmRequest, Message, RawReply, ReplySchema, Sampling, Usage
from resources.llm.gateway.gateway import Gateway
from resources.llm.gateway.opening import Surroundings, open_gateway
from resources.llm.providers.local import ExtractiveClient
from resources.postgres import Database
from resources.tuning import Tuning

FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "filtered"}
VERDICT = ReplySchema(
    "verdict",
    json.dumps(
        {
            "type": "object",
            "properties": {"label": {"enum": ["supported", "refuted"]}, "why": {"type": "string"}},
            "required": ["label", "why"],
            "additionalProperties": False,
        }
    ),
)
GIVEN = '{"label":"supported","why":"[rehearsal]"}'


def asked(text: str = "Is that so?", *, max_tokens: int = 200, **more: Any) -> LlmRequest:
    return LlmRequest("reply", (Message("user", text),), sampling=Sampling(max_tokens=max_tokens), **more)


@dataclass
class PlainClient:
    """OpenAI's chat API over HTTP and nothing else."""

    endpoint: Endpoint
    http: httpx.Client
    has_schemas: bool

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        try:
            answer = self.http.post("/chat/completions", json=self._body(request), timeout=timeout_s)
        except httpx.TimeoutException:
            raise ModelTrouble("timeout", f"{self.endpoint.name}: no answer in time") from None
        except httpx.TransportError as error:
            raise ModelTrouble(
                "connection",
                f"{self.endpoint.name}: the connection broke",
                was_sent=not isinstance(error, httpx.ConnectError),
            ) from None
        if answer.status_code != 200:
            raise self._error(answer)
        body = answer.json()
        choice, usage = body["choices"][0], body.get("usage")
        read = None if usage is None else Usage(usage["prompt_tokens"], usage["completion_tokens"])
        return RawReply(
            choice["message"]["content"] or "", read, FINISHES.get(choice["finish_reason"], "stop")
        )

    def count_tokens(self, text: str) -> int | None:
        return None

    def _body(self, request: LlmRequest) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.text} for message in request.messages]
        body = {
            "model": self.endpoint.uri.model,
            "messages": messages,
            "max_tokens": request.sampling.max_tokens,
        }
        if request.schema is not None:
            shape = {
                "name": request.schema.name,
                "schema": json.loads(request.schema.json),
                "strict": True,
            }
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        return body

    def _error(self, answer: httpx.Response) -> Exception:
        name, code = self.endpoint.name, answer.json()["error"]["code"]
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after")
            return ModelTrouble("rate_limit", f"{name}: 429", retry_after_s=float(wait) if wait else None)
        if answer.status_code >= 500:
            return ModelTrouble("server", f"{name}: {answer.status_code}")
        return ModelRefusal("context" if code == "context_length_exceeded" else "key", f"{name}: {code}")


@dataclass
class World:
    """Time that passes for real, waits that are noted and not waited for, chance that is no chance."""

    waits: list[float] = field(default_factory=list)
    drawn: float = 0.5
    later: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def surroundings(self) -> Surroundings:
        return Surroundings(now=self.now, sleep=self.waits.append, draw=lambda: self.drawn)


@dataclass
class Doors:
    """Opens gateways on one database whose endpoints are the sandbox's models."""

    url: str
    sandbox: Any
    http: httpx.Client
    world: World = field(default_factory=World)

    @contextmanager
    def open(
        self, tuning: Tuning, open_model: Callable[[Endpoint], ModelClient] | None = None
    ) -> Iterator[Gateway]:
        gateway = open_gateway(
            self.url, tuning, open_model=open_model or self.client, world=self.world.surroundings()
        )
        try:
            yield gateway
        finally:
            gateway.close()

    def client(self, endpoint: Endpoint) -> ModelClient:
        if endpoint.uri.provider == "local":
            return ExtractiveClient()
        return PlainClient(endpoint, self.http, "json" in endpoint.capabilities)

    def fault(self, kind: str, times: int = 1, **more: Any) -> None:
        self.sandbox.post("models/faults", kind=kind, times=times, **more)

    def calls(self, model: str | None = None) -> int:
        told = self.sandbox.get("models")
        return int(told["calls"] if model is None else told["models"].get(model, {}).get("calls", 0))


def tuning(
    *names: str, models: dict[str, Any] | None = None, cache: dict[str, Any] | None = None, **own: Any
) -> Tuning:
    """Endpoints of these names, all of them the sandbox's model of a name beginning so, and the task reply on them."""
    endpoints = {
        name: {
            "uri": f"openai::{own.get(name, {}).get('model', 'rehearsal')}",
            "capabilities": ["text", "json"],
            "price_in": 1.0,
            "price_out": 2.0,
            **{key: value for key, value in own.get(name, {}).items() if key != "model"},
        }
        for name in names
        if name != "local"
    }
    return Tuning.model_validate(
        {
            "endpoints": endpoints,
            "models": {"default": names, "attempts": 2, "queue_s": 10, **(models or {})},
            "budget": own.get("budget", {}),
            "cache": cache or {},
        }
    )


def rows(db: Database, text: str, *values: object) -> list[dict[str, Any]]:
    with db.transaction() as tx:
        return tx.connection.execute(text, values).fetchall()  # type: ignore[call-overload, no-any-return]


def runs(db: Database) -> list[dict[str, Any]]:
    return rows(db, "select * from model_run order by id")


def outcomes(db: Database) -> list[str]:
    """Endpoint and outcome of every attempt, in order."""
    found = rows(
        db,
        "select endpoint || ' ' || outcome as what from model_attempt order by model_run_id, n",
    )
    return [row["what"] for row in found]


@contextmanager
def elsewhere(owner_db: Database, table: str) -> Iterator[None]:
    """The table is not there for the length of the block."""
    with owner_db.transaction() as tx:
        tx.connection.execute(f"alter table {table} rename to elsewhere")  # type: ignore[call-overload]
    try:
        yield
    finally:
        with owner_db.transaction() as tx:
            tx.connection.execute(f"alter table elsewhere rename to {table}")  # type: ignore[call-overload]
