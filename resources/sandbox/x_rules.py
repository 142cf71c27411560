"""Rules of X's filtered stream: list, add, delete."""

import hashlib
import sqlite3
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.exchange import Answer, Call
from resources.sandbox.state import State
from resources.sandbox.x_query import Node, QueryInvalid, parse_query
from resources.sandbox.x_shapes import PROBLEMS, invalid, problem

MOST_RULES = 1000
LONGEST_RULE = 1024
VERSION_KEY = "rules_version"


def list_rules(call: Call) -> Answer:
    """``GET /2/tweets/search/stream/rules``."""
    rows = call.world.state.db.execute("SELECT * FROM rule ORDER BY rowid").fetchall()
    body: dict[str, Any] = {"meta": {"sent": iso(call.now), "result_count": len(rows)}}
    return Answer(200, {"data": [rule_json(row) for row in rows], **body} if rows else body)


def rule_json(row: sqlite3.Row) -> dict[str, str]:
    """A rule; the tag is left out where none was given."""
    shown = {"id": row["id"], "value": row["value"]}
    return {**shown, "tag": row["tag"]} if row["tag"] is not None else shown


def change_rules(call: Call) -> Answer:
    """``POST /2/tweets/search/stream/rules`` with ``add`` or ``delete``."""
    try:
        body = call.json()
    except ValueError:
        raise invalid("$", "", "the body is not JSON in UTF-8") from None
    if isinstance(body, dict) and isinstance(body.get("add"), list):
        return add_rules(call, body["add"])
    if isinstance(body, dict) and isinstance(body.get("delete"), dict):
        return delete_rules(call, body["delete"])
    raise invalid("$", body, "one of add and delete is required")


def add_rules(call: Call, wanted: list[Any]) -> Answer:
    """Add rules; invalid and duplicate ones are reported one by one."""
    created: list[dict[str, str]] = []
    errors: list[dict[str, Any]] = []
    is_dry = call.query.get("dry_run", "").lower() == "true"
    with call.world.state.transaction() as db:
        if count_rules(db) + len(wanted) > MOST_RULES:
            raise problem(422, "RulesCapExceeded", f"at most {MOST_RULES} rules", "rule-cap")
        for rule in wanted:
            error = rule_error(db, rule)
            if error is not None:
                errors.append(error)
            else:
                created.append(store_rule(db, rule, is_dry=is_dry))
    if created and not is_dry:
        note_change(call.world.state)
    summary = {
        "created": len(created), "not_created": len(errors), "valid": len(created), "invalid": len(errors),
    }  # fmt: skip
    answer: dict[str, Any] = {"meta": {"sent": iso(call.now), "summary": summary}}
    answer |= {name: part for name, part in (("data", created), ("errors", errors)) if part}
    is_refused = not created and any(error["title"] != "DuplicateRule" for error in errors)
    return Answer(400 if is_refused else 201 if created else 200, answer)


def rule_error(db: sqlite3.Connection, rule: Any) -> dict[str, Any] | None:
    """Why a rule cannot be added, or None."""
    value = rule.get("value") if isinstance(rule, dict) else None
    if not isinstance(value, str):
        raise invalid("$.add", rule, "every rule needs a value")
    known = db.execute("SELECT id FROM rule WHERE value = ?", (value,)).fetchone()
    if known:
        kind = PROBLEMS + "duplicate-rules"
        return {"value": value, "id": known["id"], "title": "DuplicateRule", "type": kind}
    details = rule_problem(value)
    kind = PROBLEMS + "invalid-rules"
    return (
        {"value": value, "details": [details], "title": "UnprocessableEntity", "type": kind}
        if details
        else None
    )


def rule_problem(value: str) -> str | None:
    """What is wrong with a rule's text, or None."""
    if len(value) > LONGEST_RULE:
        return f"Rule must be at most {LONGEST_RULE} characters."
    try:
        parse_query(value)
    except QueryInvalid as error:
        return str(error)
    return None


def store_rule(db: sqlite3.Connection, rule: dict[str, Any], *, is_dry: bool) -> dict[str, str]:
    """Keep a valid rule and show it; its id follows from its text."""
    value, tag = rule["value"], rule.get("tag")
    rule_id = str(int(hashlib.sha256(value.encode("utf-8")).hexdigest()[:15], 16))
    if not is_dry:
        db.execute("INSERT INTO rule VALUES (?, ?, ?)", (rule_id, value, None if tag is None else str(tag)))
    shown = {"value": value, "id": rule_id}
    return {**shown, "tag": str(tag)} if tag is not None else shown


def delete_rules(call: Call, wanted: dict[str, Any]) -> Answer:
    """Delete rules by id or by value."""
    ids, values = wanted.get("ids") or [], wanted.get("values") or []
    with call.world.state.transaction() as db:
        deleted = sum(
            db.execute("DELETE FROM rule WHERE id = ?", (str(rule_id),)).rowcount for rule_id in ids
        )
        deleted += sum(
            db.execute("DELETE FROM rule WHERE value = ?", (str(value),)).rowcount for value in values
        )
    note_change(call.world.state)
    summary = {"deleted": deleted, "not_deleted": len(ids) + len(values) - deleted}
    return Answer(200, {"meta": {"sent": iso(call.now), "summary": summary}})


def rules_version(state: State) -> str:
    """Differs after every change of the rules, whoever made it."""
    return state.meta(VERSION_KEY) or "0"


def note_change(state: State) -> None:
    """The rules were changed."""
    state.set_meta(VERSION_KEY, str(int(rules_version(state)) + 1))


def count_rules(db: sqlite3.Connection) -> int:
    """How many rules there are."""
    return int(db.execute("SELECT count(*) FROM rule").fetchone()[0])


def parsed_rules(db: sqlite3.Connection) -> list[tuple[dict[str, str], Node]]:
    """All rules as the stream needs them: what to show in matching_rules, and the tree."""
    rows = db.execute("SELECT * FROM rule ORDER BY rowid").fetchall()
    return [
        (
            {name: value for name, value in rule_json(row).items() if name != "value"},
            parse_query(row["value"]),
        )
        for row in rows
    ]
