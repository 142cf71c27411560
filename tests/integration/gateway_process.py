"""A process that calls an endpoint through admission: run as a program with one JSON object of what to do.

It says on stdout what became of it: "holding" once it has its places and keeps them until it is killed, or how many
calls were let through.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rejoinder.errors import BudgetSpent
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from rejoinder.llm.requests import LlmRequest, Message
from resources.llm.gateway.admission import Admission
from resources.tuning_models import ModelBudget, Models

ASKED = LlmRequest("reply", (Message("user", "Is that so?"),), creator_id=7)


def hold(door: Admission, at: Endpoint, order: dict[str, Any]) -> None:
    """Take places with threads of their own, say so, and keep them."""
    taken = threading.Semaphore(0)

    def keep() -> None:
        with door.admit(at, ASKED, estimate_usd=order["estimate_usd"]):
            taken.release()
            time.sleep(600)

    for _ in range(order["places"]):
        threading.Thread(target=keep, daemon=True).start()
    for _ in range(order["places"]):
        taken.acquire()
    print("holding", flush=True)
    time.sleep(600)


def spend(door: Admission, at: Endpoint, order: dict[str, Any]) -> None:
    """Call with several threads until the budget is spent, from a word on stdin on; each costs its estimate."""

    def calls() -> int:
        for n in range(10_000):
            try:
                with door.admit(at, ASKED, estimate_usd=order["estimate_usd"]) as place:
                    place.settle("ok", order["estimate_usd"])
            except BudgetSpent:
                return n
        raise AssertionError("the budget has no end")

    door.loads((at.name,))
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(order["threads"]) as pool:
        print(sum(f.result() for f in [pool.submit(calls) for _ in range(order["threads"])]), flush=True)


def main(order: dict[str, Any]) -> None:
    """Do what was ordered."""
    price = Price(1.0, 1.0) if order["estimate_usd"] else Price(0.0, 0.0)
    at = Endpoint(
        order.get("endpoint", "rehearsal"),
        parse_uri("openai::rehearsal"),
        max_concurrent=order["limit"],
        price=price,
    )
    door = Admission(order["url"], Models(queue_s=60.0), ModelBudget(total_usd=order.get("total_usd", 100.0)))
    {"hold": hold, "spend": spend}[order["what"]](door, at, order)
    door.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
