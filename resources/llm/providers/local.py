"""The provider ``local``: the answer that a task can give without a model, at no price."""

from pydantic import SecretStr

from rejoinder.errors import ModelRefusal
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, RawReply, Usage


class ExtractiveClient:
    """Answers with what the request brings along for the case that there is no model."""

    has_schemas = True

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """The request's own offline answer; no time is waited.

        Raises:
            ModelRefusal: the task has no answer without a model.
        """
        if request.offline is None:
            raise ModelRefusal(
                "request",
                f"The task {request.task} cannot be done without a model.",
                fix=f"Name one in rejoinder.toml: [models.tasks.{request.task}] endpoints = [...] (docs/models.md).",
            )
        return RawReply(request.offline(), Usage(0, 0))

    def count_tokens(self, text: str) -> int | None:
        """None: nothing is read by a model."""
        return None


def open_client(endpoint: Endpoint, key: SecretStr | None) -> ExtractiveClient:
    """The client of ``local::extractive``; it needs no key."""
    return ExtractiveClient()
