"""What is told of a call that is not let through."""

from datetime import UTC, datetime, timedelta

import pytest

from rejoinder.llm.endpoints import Endpoint, parse_uri
from resources.llm.gateway.refusals import refusal

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize("reason", ["ModelTrouble: it hung up.", "ModelTrouble: it hung up"])
def test_the_last_failure_ends_its_sentence_once(reason: str) -> None:
    row = {"verdict": "open", "until": NOW + timedelta(seconds=30), "reason": reason}
    told = refusal(Endpoint("far", parse_uri("openai::m")), {}, row, NOW)
    assert str(told).endswith("until 12:00:30 UTC; the last failure: ModelTrouble: it hung up.")
