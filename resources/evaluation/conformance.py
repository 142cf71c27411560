"""X's length against the conformance cases of twitter-text: what every counter of X's weighted length should agree on.

The form is that of ``conformance/validate.yml`` in github.com/twitter/twitter-text: suites of cases, each with a text
and what is expected of it (weightedLength, valid).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rejoinder.errors import ConfigInvalid
from rejoinder.text.weighted_length import is_valid_on_x, weighted_length

# The suites for configuration 3, in which an emoji counts as two; the others are for configurations before it.
SUITES = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A case that came out differently; lengths are weighted characters."""

    description: str
    expected_length: int
    length: int
    expected_valid: bool
    is_valid: bool


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One suite: how many cases it has, and those that came out differently."""

    suite: str
    n_cases: int
    failed: tuple[Disagreement, ...]


def check_lengths(path: Path) -> list[SuiteResult]:
    """Count every text of the suites for configuration 3.

    Raises:
        ConfigInvalid: the file is not there, no YAML, or has none of the suites.
    """
    tests = _read_tests(path)
    found = [suite for suite in SUITES if suite in tests]
    if not found:
        raise ConfigInvalid(
            f"{path} has none of the suites {', '.join(SUITES)}.",
            fix="Give conformance/validate.yml of twitter-text.",
        )
    return [SuiteResult(suite, len(tests[suite]), _failures(tests[suite])) for suite in found]


def _read_tests(path: Path) -> Mapping[str, Any]:
    import yaml  # type: ignore[import-untyped]

    try:
        read = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigInvalid(f"{path} cannot be read as YAML ({type(error).__name__}).") from None
    tests = read.get("tests") if isinstance(read, dict) else None
    if not isinstance(tests, dict):
        raise ConfigInvalid(f"{path} has no `tests`: it is not a conformance file of twitter-text.")
    return tests


def _failures(cases: Any) -> tuple[Disagreement, ...]:
    judged = [_judge(case) for case in cases]
    return tuple(
        one for one in judged if (one.length, one.is_valid) != (one.expected_length, one.expected_valid)
    )


def _judge(case: Any) -> Disagreement:
    try:
        text, expected = str(case["text"]), case["expected"]
        return Disagreement(
            str(case.get("description", text[:40])),
            int(expected["weightedLength"]),
            weighted_length(text),
            bool(expected["valid"]),
            is_valid_on_x(text),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigInvalid(f"a case has no text, weightedLength or valid: {str(case)[:80]}") from None
