"""Channels of one's own: connected with credentials from standard input, never without the role."""

import json

import pytest

from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands.actors import Actor
from resources.commands.channels import NewChannel, add_channel, disable_channel, list_channels

KEYS = {
    "bearer_token": "secret", "consumer_key": "secret", "consumer_secret": "secret", "access_token": "secret",
    "access_token_secret": "secret",
}  # fmt: skip
OURS = NewChannel("ours", "x", "somebody", "x/self_serve")


@pytest.fixture
def manager(desk):
    desk.rows("update person set role = 'admin'")
    return Actor(desk.approver.person_id, "ada", "admin")


def test_an_admin_connects_and_disables_a_channel_and_the_audit_holds_no_secret(desk, manager):
    add_channel(desk.db, manager, desk.project_id, OURS, KEYS)
    assert [(c["name"], c["is_enabled"], c["is_sandbox"]) for c in list_channels(desk.db)] == [
        ("ours", True, False)
    ]
    for kind in ("read", "write"):
        [row] = desk.rows(f"select * from channel_{kind}_credential")
        assert b"secret" not in row["box"]
    disable_channel(desk.db, manager, "ours")
    assert not list_channels(desk.db)[0]["is_enabled"]
    audit = desk.rows("select action, diff from audit_event order by id")
    assert [row["action"] for row in audit] == ["add_channel", "disable_channel"]
    assert "secret" not in json.dumps([row["diff"] for row in audit])
    with pytest.raises(ConfigInvalid):
        disable_channel(desk.db, manager, "ours")


def test_an_approver_may_not(desk):
    with pytest.raises(NotAllowed):
        add_channel(desk.db, desk.approver, desk.project_id, OURS, KEYS)
    assert list_channels(desk.db) == []


@pytest.mark.parametrize(
    ("new", "keys"),
    [
        (OURS, {}),
        (NewChannel("ours", "x", "somebody", "sandbox/x/enterprise"), KEYS),
        (NewChannel("ours", "x", "somebody", "reddit/approved_app"), KEYS),
        (NewChannel("rehearsal", "x", "somebody", "x/self_serve"), KEYS),
        (NewChannel("ours", "x", " ", "x/self_serve"), KEYS),
    ],
)
def test_what_does_not_fit_is_refused(desk, manager, new, keys):
    desk.channel()
    with pytest.raises(ConfigInvalid):
        add_channel(desk.db, manager, desk.project_id, new, keys)
    assert [c["name"] for c in list_channels(desk.db)] == ["rehearsal"]


def test_a_channel_on_a_platform_of_another_package(desk, manager, tmp_path, monkeypatch):
    found = tmp_path / "sample_forum-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-forum\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text(
        "[rejoinder.platforms]\nforum = sample_forum_package:open_forum\n"
    )
    (tmp_path / "sample_forum_package.py").write_text(
        "from rejoinder.errors import ConfigInvalid\n"
        "def open_forum(credentials, *, base_url, clock, meter):\n"
        "    if 'key' not in credentials: raise ConfigInvalid('the credentials lack key')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    new = NewChannel("ours", "forum", "somebody", "reddit/approved_app")
    with pytest.raises(ConfigInvalid, match="lack key"):
        add_channel(desk.db, manager, desk.project_id, new, {})
    add_channel(desk.db, manager, desk.project_id, new, {"key": "secret"})
    assert [c["platform"] for c in list_channels(desk.db)] == ["forum"]
    with pytest.raises(ConfigInvalid, match="no platform 'myspace'; there are archive, forum, reddit, x"):
        add_channel(
            desk.db,
            manager,
            desk.project_id,
            NewChannel("mine", "myspace", "me", "x/self_serve"),
            {"key": "secret"},
        )
