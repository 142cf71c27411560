"""A process that calls the sandbox's model from many threads through admission: run with one JSON object of orders.

It says "ready", waits for a line on stdin, makes its calls, and says how many were answered.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from rejoinder.errors import ModelTrouble
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, RawReply
from resources.llm.gateway.admission import Admission
from resources.tuning_models import ModelBudget, Models

ASKED = LlmRequest("reply", (Message("user", "Is that so?"),))


class PlainClient:
    """A client of OpenAI's chat completions without any comfort."""

    has_schemas = False

    def __init__(self, url: str, key: str, model: str) -> None:
        self.model = model
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """The answer's text."""
        messages = [{"role": m.role, "content": m.text} for m in request.messages]
        body = {"model": self.model, "messages": messages}
        try:
            answer = self.http.post("/chat/completions", json=body, timeout=timeout_s)
        except httpx.TimeoutException:
            raise ModelTrouble("timeout", "no answer in time") from None
        if answer.status_code != 200:
            raise ModelTrouble("server", f"status {answer.status_code}")
        return RawReply(answer.json()["choices"][0]["message"]["content"])

    def count_tokens(self, text: str) -> int | None:
        """Nothing counts them here."""
        return None


def main(order: dict[str, Any]) -> None:
    """Make the calls."""
    at = Endpoint(
        "shared",
        parse_uri("openai::limited"),
        max_concurrent=order["limit"],
        price=Price(0.0, 0.0),
        timeout_s=30.0,
    )
    door = Admission(order["database_url"], Models(queue_s=120.0), ModelBudget())
    client = PlainClient(order["url"], order["key"], at.uri.model)

    def call(_: int) -> bool:
        with door.admit(at, ASKED, estimate_usd=0.0) as place:
            text = client.complete(ASKED, at.timeout_s).text
            place.settle("ok", 0.0)
        return bool(text)

    door.loads((at.name,))
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(order["threads"]) as pool:
        print(sum(pool.map(call, range(order["calls"]))), flush=True)
    client.http.close()
    door.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
