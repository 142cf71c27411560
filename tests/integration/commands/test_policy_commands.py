"""`rejoinder policy` and `rejoinder optout`: who may change what, what is refused, what the audit keeps."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli.optout
import cli.policy
from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands.channel_policies import read_policies, reset_policy, set_policy
from resources.commands.channels import NewChannel, add_channel
from resources.commands.opt_outs import add_opt_out, import_opt_outs, remove_opt_out
from resources.store.opt_outs import list_opt_outs


def policy_of(newsroom: Any, name: str) -> Any:
    return read_policies(newsroom.db, name)[0].policy


def test_an_admin_changes_a_policy_and_the_audit_says_what(newsroom, actors) -> None:
    given = {"operator": "Ada", "quiet_hours": "22:00-07:00 Europe/Berlin"}
    done = set_policy(newsroom.db, actors["admin"], "live", given, reason="we moved")
    assert done.changed["operator"] == ("required", "Ada")
    assert str(policy_of(newsroom, "live").quiet_hours) == "22:00-07:00 Europe/Berlin"
    [row] = newsroom.audit("set_policy")
    assert row["diff"]["reason"] == "we moved" and row["diff"]["changed"]["operator"] == ["required", "Ada"]
    assert set_policy(newsroom.db, actors["admin"], "live", {"operator": "Ada"}).changed == {}
    reset_policy(newsroom.db, actors["admin"], "live")
    assert policy_of(newsroom, "live").quiet_hours is None and policy_of(newsroom, "live").operator == "Ada"


def test_nobody_else_does(newsroom, actors) -> None:
    for role in ("viewer", "editor", "approver"):
        with pytest.raises(NotAllowed):
            set_policy(newsroom.db, actors[role], "live", {"operator": "Eve"})
    with pytest.raises(ConfigInvalid, match="no channel named"):
        set_policy(newsroom.db, actors["admin"], "lvie", {"operator": "Eve"})
    assert policy_of(newsroom, "live").operator == "required" and newsroom.audit("set_policy") == []


def test_training_on_what_x_forbids_needs_a_permission_and_keeps_its_words(newsroom, actors) -> None:
    with pytest.raises(NotAllowed, match="may not train models"):
        set_policy(newsroom.db, actors["admin"], "live", {"may_train": "yes"})
    assert policy_of(newsroom, "live").may_train is False
    done = set_policy(
        newsroom.db, actors["admin"], "live", {"may_train": "yes"}, permission="letter of 1 May"
    )
    assert policy_of(newsroom, "live").may_train and len(done.permitted) == 1
    assert newsroom.audit("set_policy")[0]["diff"]["permission"] == "letter of 1 May"


def test_new_credentials_leave_a_changed_policy_alone(newsroom, actors) -> None:
    set_policy(newsroom.db, actors["admin"], "live", {"author_window_s": "60"})
    keys = {"bearer_token": "b", "consumer_key": "k", "consumer_secret": "s", "access_token": "t",
            "access_token_secret": "u"}  # fmt: skip
    new = NewChannel("live", "x", "rejoinder", "x/enterprise", operator="Ada")
    add_channel(newsroom.db, actors["admin"], 1, new, keys)
    assert (policy_of(newsroom, "live").author_window_s, policy_of(newsroom, "live").operator) == (60, "Ada")


def test_a_blocked_author_is_left_alone_until_an_admin_says_otherwise(newsroom, actors) -> None:
    post = newsroom.post()
    with pytest.raises(NotAllowed):
        add_opt_out(newsroom.db, actors["editor"], "x", "@Sceptic")
    done = add_opt_out(newsroom.db, actors["approver"], "x", "@Sceptic", reason="a bot")
    assert (done.new, done.withdrawn, newsroom.place(post)) == (1, 1, "review/withdrawn")
    with pytest.raises(NotAllowed, match="needs the role admin"):
        remove_opt_out(newsroom.db, actors["approver"], "x", "sceptic")
    remove_opt_out(newsroom.db, actors["admin"], "x", "SCEPTIC")
    assert newsroom.rows("select * from opt_out") == []
    assert [len(newsroom.audit(action)) for action in ("opt_out", "opt_in")] == [1, 1]


def test_what_an_author_asked_for_cannot_be_undone(newsroom, actors) -> None:
    add_opt_out(newsroom.db, actors["approver"], "x", "sceptic")
    add_opt_out(newsroom.db, actors["approver"], "x", "Sceptic", reason="by mail", is_asked=True)
    add_opt_out(newsroom.db, actors["approver"], "x", "sceptic", reason="blocked again")
    with newsroom.db.transaction() as tx:
        [kept] = list_opt_outs(tx, "x")
    assert (kept.author, kept.is_asked, kept.reason) == ("sceptic", True, "by mail")
    with pytest.raises(NotAllowed, match="for ever"):
        remove_opt_out(newsroom.db, actors["admin"], "x", "sceptic")


def test_a_file_of_authors_is_read_line_by_line(newsroom, actors) -> None:
    lines = ["# bots\n", "\n", "@one, spams\n", "u/two, \0\n", "not a handle!\n", "ONE\n"]
    done = import_opt_outs(newsroom.db, actors["approver"], "reddit", lines)
    assert (done.new, done.known) == (2, 1)
    assert done.unreadable == ("line 5: 'not a handle!' is no handle",)
    with pytest.raises(ConfigInvalid, match="No platform 'z'"):
        import_opt_outs(newsroom.db, actors["approver"], "z", lines)


@pytest.fixture
def run(newsroom, actors, environment):
    """Runs a command as the admin; the exit code and what it printed, as JSON where that was asked for."""
    app = typer.Typer()
    cli.policy.register(app)
    cli.optout.register(app)

    def act(*arguments: object) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if "--json" in arguments else result.stdout

    return act


def test_the_policy_commands(run) -> None:
    code, shown = run("policy", "show", "live", "--json")
    [policy] = shown["policies"]
    assert code == 0 and policy["reply_mode"] == "api" and policy["differs_from_shipped"] == {}
    assert {"rule", "source", "read_on"} <= policy["sources"][0].keys()
    code, done = run("policy", "set", "live", "operator=Ada L", "author_window_s=3600", "--json")
    assert code == 0 and done["changed"]["author_window_s"] == ["24 hours", "1 hours"]
    assert "shipped as" in run("policy", "show")[1] and "24 hours" in run("policy", "show", "live")[1]
    assert run("policy", "set", "live", "may_train=yes", "--json")[0] == 3
    assert run("policy", "set", "live", "operator", "--json")[0] == 2
    assert run("policy", "reset", "live", "--json")[1]["changed"] == {
        "author_window_s": ["1 hours", "24 hours"]
    }


def test_the_optout_commands(run, tmp_path: Path) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("one\nt w o\n", "utf-8")
    assert run("optout", "add", "@zero", "--asked", "--json")[1]["new"] == 1
    assert "line 2" in run("optout", "import", file)[1]
    code, listed = run("optout", "list", "--json")
    assert code == 0 and {(o["author"], o["is_asked"]) for o in listed["opt_outs"]} == {
        ("zero", True),
        ("one", False),
    }
    assert run("optout", "remove", "one", "--json")[0] == 0
    assert run("optout", "remove", "zero", "--json")[0] == 3
    assert "asked" in run("optout", "list")[1]
