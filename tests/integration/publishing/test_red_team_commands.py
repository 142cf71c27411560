"""Red team, by the command line: every command is tried by an editor who wants words sent that nobody approved.

A command that is new has to be given its verdict here: how it is tried, or why it need not be.
"""

import ast
import importlib
import inspect
import pkgutil

import typer
from typer.testing import CliRunner

from cli.app import build_app
from resources import commands as commands_of_people

TEXT = "They do, at 12:04."
EVIL = "Buy my heat pump."
# What the editor gives each command beside its name; {post} is one that waits for a decision, {sent} an approved reply
# that waits to be sent. Commands that ask who acts are told the editor.
TRIED = {
    "answers list": [], "answers take-up": ["{post}"],
    "channel add": ["rehearsal", "--platform", "x", "--account", "eve", "--policy", "x/self_serve",
                    "--credentials-stdin"],
    "channel disable": ["rehearsal"], "channel list": [],
    "channel set-credential": ["rehearsal", "--credentials-stdin"],
    "credentials check": [], "credentials list": [], "credentials rotate": [],
    "limits": [], "links": [], "marts show": ["funnel"],
    "notifications list": [], "notifications read": ["--all"], "notifications retry": [], "notifications sinks": [],
    "optout add": ["eve"], "optout list": [], "optout remove": ["eve"],
    "pause": ["--all"], "resume": ["--all"],
    "policy reset": ["rehearsal"], "policy set": ["rehearsal", "needs_approval=false"], "policy show": [],
    "publish": ["--once"],
    "retry": [],
    "review approve": ["{post}", "--text", EVIL], "review edit": ["{post}", "--text", EVIL],
    "review finish-by-hand": ["{sent}"], "review handoff-done": ["{sent}", "https://x.com/eve/status/1"],
    "review handoff-drop": ["{sent}"], "review list": [], "review preview": ["{post}"],
    "review reject": ["{post}", "--reason", "tone"], "review reopen": ["{post}"],
    "review send-back": ["{post}", "--note", EVIL], "review settle": ["{sent}", "queued", "--confirm"],
    "review show": ["{post}"], "review take-back": ["{sent}"],
    "rewards list": [], "rewards set": ["engagement=1"], "rewards show": [],
    "rules check": [EVIL], "rules list": [],
    "schedule cancel": ["{sent}"], "schedule list": [], "schedule move": ["{sent}", "--at", "2026-01-01 00:00"],
    "source feeds": [], "source follow": ["eve"], "source list": [], "source show": ["eve"], "source unfollow": ["eve"],
    "spend show": [], "status": [],
    "user list": [],
}  # fmt: skip
SERVES = (
    "serves or starts what is tried by itself: the API in test_red_team_api.py, pages and jobs by these deeds"
)
READS = "brings in, measures or looks again: no words; of what leads to sending it only takes back (recheck, optout)"
MODELS = (
    "is about models, prompts and their figures: what they write is a draft, which a person has to approve"
)
OWNER = "is for whoever owns the machine, and so the data already (docs/security.md)"
NOT_TRIED = {
    **dict.fromkeys(["up", "down", "sandbox", "api serve", "demo", "init", "doctor", "run", "bench"], SERVES),
    **dict.fromkeys(["ask", "ingest", "listen", "measure", "recheck", "posts import", "optout import", "rules forecast",
                     "rules sync", "marts refresh", "notifications deliver", "notifications test"], READS),
    **dict.fromkeys(["eval claims", "eval length", "eval replies", "eval retrieval", "eval summaries", "eval verdicts",
                     "endpoints check", "endpoints disable", "endpoints enable", "endpoints list", "endpoints reset",
                     "endpoints spend", "models add", "models build", "models drop", "models list", "models remove",
                     "models verify", "prompts challenge", "prompts list", "prompts promote", "prompts rollback",
                     "prompts show", "prompts sync"], MODELS),
    **dict.fromkeys(["api distrust", "api keys", "api rotate", "api token", "api trust", "user add", "user deactivate",
                     "user password", "user role"], OWNER),
}  # fmt: skip


def commands(of, path=()):
    """Every command by its whole name, with the options that it takes."""
    if isinstance(of, typer.core.TyperGroup):
        for name, one in of.commands.items():
            yield from commands(one, (*path, name))
    else:
        yield " ".join(path), {option for one in of.params for option in one.opts}


KNOWN = dict(commands(typer.main.get_command(build_app())))


def test_every_command_has_a_verdict() -> None:
    judged = TRIED.keys() | NOT_TRIED.keys()
    assert KNOWN.keys() - judged == set(), "say here how it is tried, or why it need not be"
    assert judged - KNOWN.keys() == set() and not TRIED.keys() & NOT_TRIED.keys()


# Commands, called from Python as pages and routes do, that ask nobody's role: what they do, so that nobody has to be.
ASKS_NOBODY = {
    **dict.fromkeys(["channel_policies.read_policies", "channels.list_channels", "credentials.list_seals",
                     "credentials.list_keys", "follow_ups.read_follow_ups", "people.list_people",
                     "people.check_account", "reward_weights.read_weights", "rewards.read_rewards",
                     "rules.rules_of_channels", "schedules.channel_zone"], "reads, and shows no secret"),
    "credentials.check_seals": "opens what is stored, as each login may, and tells whether it opened",
    "rules.try_again": "makes the platform's rules ours, as `rules sync` on the machine alone asks",
    "rules.client_of": "opens a client that reads; `rules sync` is given it on the machine alone",
    "people.sign_in": "says who somebody is, by the password",
    "people.simulated_reviewer": "the demo's, refused beside a channel that is no sandbox; so is each approval, in SQL",
    "sources.intake_for": "opens the way in; what is put there asks",
    "sources.take_due_feeds": "the sensor's: fetches what somebody followed",
}  # fmt: skip


def callables():
    """Every public function of the commands that is given a database, or a way into it: name -> whether it asks."""
    for found in pkgutil.iter_modules(commands_of_people.__path__):
        module = importlib.import_module(f"{commands_of_people.__name__}.{found.name}")
        tree = ast.parse(inspect.getsource(module)).body
        own = {one.name: one for one in tree if isinstance(one, ast.FunctionDef)}
        for name, one in own.items():
            given = {ast.unparse(each.annotation) for each in one.args.args if each.annotation}
            if not name.startswith("_") and given & {"Database", "Intake"}:
                yield f"{found.name}.{name}", asks(one, own, set())


def asks(function: ast.FunctionDef, own: dict[str, ast.FunctionDef], seen: set[str]) -> bool:
    """Whether a function calls `authorise`, itself or by another of its module."""
    seen.add(function.name)
    called = {
        one.func.id for one in ast.walk(function) if isinstance(one, ast.Call) and hasattr(one.func, "id")
    }
    return "authorise" in called or any(asks(own[name], own, seen) for name in (called & own.keys()) - seen)


def test_every_callable_asks_who_acts_or_has_a_verdict() -> None:
    found = dict(callables())
    silent = {name for name, is_asking in found.items() if not is_asking}
    assert len(found) > 50 and silent - ASKS_NOBODY.keys() == set(), "ask with authorise, or say here why not"
    assert ASKS_NOBODY.keys() - silent == set()


def test_no_command_gets_unapproved_words_out(desk, environment) -> None:
    channel = desk.channel()
    sent = desk.approved(channel, text=TEXT)
    other = desk.approved(channel, text="Taken back")
    desk.rows("update publication set state = 'cancelled' where id = %s", other)
    [row] = desk.rows("select post_id from publication where id = %s", other)
    desk.rows("alter table post disable trigger post_move_guard")
    desk.rows(
        "update post set stage = 'review', step = 'review', status = 'pending' where id = %s", row["post_id"]
    )
    desk.rows("alter table post enable trigger post_move_guard")
    desk.rows(
        "insert into person (name, display_name, role, password_hash) values ('ed', 'Ed', 'editor', 'x')"
    )
    approvals = (
        desk.rows("select * from review order by id"),
        desk.rows("select * from review_part order by 1, 2"),
    )
    app, runner, places = build_app(), CliRunner(), {"post": row["post_id"], "sent": sent}
    codes = {}
    for name, given in TRIED.items():
        who = ["--as", "ed"] if "--as" in KNOWN[name] else []
        line = [*name.split(), *who, *(word.format(**places) for word in given)]
        if name == "publish":
            continue  # at the end, by the publisher of the desk, whose platform counts
        result = runner.invoke(app, line, input='{"access_token": "mine"}')
        codes[name] = result.exit_code
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exception)
    decided = (
        "approve",
        "reject",
        "reopen",
        "take-back",
        "settle",
        "handoff-done",
        "handoff-drop",
        "finish-by-hand",
    )
    assert {name: codes[f"review {name}"] for name in decided} == dict.fromkeys(decided, 3)
    assert codes["channel set-credential"] == codes["credentials rotate"] == codes["resume"] == 3
    assert approvals == (
        desk.rows("select * from review where decision = 'approved' order by id"),
        desk.rows("select * from review_part order by 1, 2"),
    )
    desk.rows("update pause set resumed_at = now() where resumed_at is null")
    desk.run()
    assert [text for _, text, _ in desk.platform.replies] == [TEXT]
