"""Answers in JSON: checked against the request's schema, repaired once by the model itself."""

from dataclasses import dataclass, replace

from rejoinder.errors import ModelRefusal, ReplyInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.json_replies import repair_request, told_in_words
from rejoinder.llm.requests import LlmRequest, RawReply, ReplySchema
from resources.llm.gateway.calls import Asking, Call, error_in_words, outcome_of
from resources.llm.gateway.clients import Clients


@dataclass(frozen=True, slots=True)
class Structured:
    """Asks an endpoint for JSON and gives back canonical JSON that keeps to the schema.

    may_repair says whether the endpoint would give another answer if told what is wrong with the first.
    """

    inner: Asking
    endpoint: Endpoint
    clients: Clients
    may_repair: bool = True

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        """The endpoint's answer; without a schema it is passed on as it is.

        Raises:
            ReplyInvalid: neither the answer nor the one after the repair prompt keeps to the schema.
        """
        schema = request.schema
        if schema is None:
            return self.inner.ask(call, request)
        asked = self._worded(request, schema)
        raw = self.inner.ask(call, asked)
        try:
            return self._read(call, raw, schema)
        except ReplyInvalid as invalid:
            if not self.may_repair:
                raise self._named(invalid) from None
            asked = repair_request(asked, schema, raw.text, str(invalid))
        raw = self.inner.ask(call, asked)
        try:
            return self._read(call, raw, schema)
        except ReplyInvalid as invalid:
            raise self._named(invalid) from None

    def _worded(self, request: LlmRequest, schema: ReplySchema) -> LlmRequest:
        """The request as the model understands it; a schema that is none is refused before anything is sent."""
        from resources.llm.gateway.json_reading import checker

        checker(schema)
        if self.clients.of(self.endpoint).has_schemas:
            return request
        return replace(told_in_words(request, schema), schema=None)

    def _named(self, invalid: ReplyInvalid) -> ReplyInvalid:
        return ReplyInvalid(f"{self.endpoint.name}: {invalid}.")

    def _read(self, call: Call, raw: RawReply, schema: ReplySchema) -> RawReply:
        """The answer read; if it cannot be, the attempt that brought it is marked so."""
        from resources.llm.gateway.json_reading import read_json

        try:
            return replace(raw, text=read_json(raw.text, raw.finish, schema))
        except ReplyInvalid as invalid:
            error: ReplyInvalid | ModelRefusal = invalid
            if raw.finish == "filtered":
                error = ModelRefusal("content", f"{self.endpoint.name}: a filter cut the answer.")
            call.attempts[-1] = replace(
                call.attempts[-1], outcome=outcome_of(error), error=error_in_words(error)
            )
            raise error from None
