"""What every refusal of the API must be: a problem as RFC 9457 has it, with its fix and the request's id."""

from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem that was answered, held to its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:rejoinder:problem:{kind}"
    assert found["status"] == status and found["detail"] and found["fix"]
    assert found["request_id"] == answer.headers["x-request-id"]
    return found
