"""Reads a model's answer as JSON and checks it against a schema.

What belongs here: the libraries for it, imported when the first answer is read: json-repair for fences, text around the
JSON and small slips, jsonschema for the check.
"""

import json
import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rejoinder.errors import ModelRefusal, ReplyInvalid
from rejoinder.llm.json_replies import canonical_reply
from rejoinder.llm.requests import Finish, ReplySchema

if TYPE_CHECKING:
    from jsonschema import ValidationError

Check = Callable[[Any], str | None]
SAID_CHARS = 300
REFERENCES = ("$ref", "$dynamicRef")
NO_JSON = "there is no JSON in it"
INSTALL = "pip install -e '.[models]'"
log = logging.getLogger("rejoinder.llm")


def read_json(text: str, finish: Finish, schema: ReplySchema) -> str:
    """The answer as canonical JSON that keeps to the schema.

    An answer that was cut off counts only if it is whole all the same: what a library would make of half an object may
    keep to the schema and say something else than the model would have.

    Raises:
        ReplyInvalid: there is no such JSON in it; the message says what is wrong, for a model too.
        ModelRefusal: the schema is none.
    """
    check = checker(schema)
    try:
        value = _chosen(_loaded(text, finish), check)
        problem = check(value)
        if problem is not None:
            raise ReplyInvalid(problem)
        return canonical_reply(value)
    except ValueError:
        raise ReplyInvalid("it holds a number that JSON does not have: too large a one") from None
    except RecursionError:
        raise ReplyInvalid("its JSON is nested too deep") from None


def _loaded(text: str, finish: Finish) -> Any:
    """The value: of text that is JSON as it is, of a whole answer also what a library makes of it."""
    try:
        value = json.loads(text, parse_constant=_no_such_number)
        if finish == "stop" or isinstance(value, dict | list):
            return value
    except ValueError:
        pass
    if finish != "stop":
        why = "the limit of tokens was reached, be shorter" if finish == "length" else "a filter cut it"
        raise ReplyInvalid(f"the answer is cut off: {why}")
    return _repaired(text)


def _no_such_number(name: str) -> Any:
    raise ReplyInvalid(f"{name} is a number that JSON does not have")


def _repaired(text: str) -> Any:
    try:
        import json_repair
    except ImportError:
        log.warning("answers that are not clean JSON cannot be read without json-repair: %s", INSTALL)
        raise ReplyInvalid(NO_JSON) from None
    value = json_repair.loads(text, skip_json_loads=True)
    if value == "":
        raise ReplyInvalid(NO_JSON)
    return value


def _chosen(value: Any, check: Check) -> Any:
    """Of several values in one text the one that keeps to the schema, if there is one only."""
    if not isinstance(value, list) or check(value) is None:
        return value
    fitting = [part for part in value if isinstance(part, dict) and check(part) is None]
    return fitting[0] if len(fitting) == 1 else value


@lru_cache(maxsize=256)
def checker(schema: ReplySchema) -> Check:
    """A function that says what is wrong with a value, None if nothing is.

    Raises:
        ModelRefusal: the schema is none.
    """
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.exceptions import best_match

    try:
        told = json.loads(schema.json)
        Draft202012Validator.check_schema(told)
    except (ValueError, SchemaError) as error:
        raise ModelRefusal(
            "request", f"{schema.name} is no JSON Schema: {str(error).splitlines()[0]}"
        ) from None
    for named in _references(told):
        if not _holds(told, named):
            raise ModelRefusal("request", f"{schema.name} refers to what it does not hold: {named}")
    validator = Draft202012Validator(told)

    def check(value: Any) -> str | None:
        error = best_match(validator.iter_errors(value))
        return None if error is None else _in_words(error)

    return check


def _in_words(error: "ValidationError") -> str:
    """Where an answer breaks which rule of the schema; what stands there is left out, it may be somebody's text."""
    rule = json.dumps(error.validator_value, ensure_ascii=False)[:SAID_CHARS]
    return f'at {error.json_path}: it breaks "{error.validator}": {rule}'


def _references(schema: Any) -> Iterator[str]:
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict):
        yield from (str(schema[key]) for key in REFERENCES if isinstance(schema.get(key), str))
    for part in parts:
        yield from _references(part)


def _holds(schema: Any, named: str) -> bool:
    """Whether a reference is a pointer to a place in the schema itself: others would be looked for in the network.

    >>> [_holds({"$defs": {"a": {}}}, named) for named in ("#", "#/$defs/a", "#/$defs/b", "http://example.com/a")]
    [True, True, False, False]
    """
    start, *steps = named.split("/")
    at = schema
    for step in steps:
        at = at.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(at, dict) else None
    return start == "#" and at is not None
