"""Decisions about drafts: who may, on what they saw, and that the database says the same afterwards."""

import inspect
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rejoinder.errors import ConfigInvalid, DecisionInvalid, IllegalMove, NotAllowed, StaleView
from rejoinder.ids import sha256_hex
from resources.commands import review
from resources.commands.actors import Actor, machine_owner
from resources.commands.people import change_role, deactivate, simulated_reviewer

TEXT = "The episode has it at 12:04: heat pumps work below zero."

DECISIONS: dict[str, Callable[[Any, Actor, int, int], Any]] = {
    "approve": lambda db, who, post, v: review.approve(db, who, post, version=v, text=TEXT),
    "reject": lambda db, who, post, v: review.reject(db, who, post, version=v, reason="tone"),
    "send_back": lambda db, who, post, v: review.send_back(db, who, post, version=v, note="name the guest"),
    "edit_draft": lambda db, who, post, v: review.edit_draft(db, who, post, version=v, text="Other words."),
}
AFTER = {
    "approve": "post_queue/pending",
    "reject": "review/rejected",
    "send_back": "response/pending",
    "edit_draft": "review/pending",
}


@pytest.mark.parametrize("name", DECISIONS)
def test_each_decision_moves_the_post_and_leaves_an_audit_row(newsroom, actors, name: str) -> None:
    post = newsroom.post()
    DECISIONS[name](newsroom.db, actors["approver"], post, newsroom.version(post))
    assert newsroom.place(post) == AFTER[name]
    [row] = newsroom.audit(name)
    assert (row["actor"], row["entity_id"], str(row["ip_address"])) == ("some-approver", post, "127.0.0.1")
    assert row["person_id"] == actors["approver"].person_id


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_on_an_old_view_changes_nothing(newsroom, actors, name: str) -> None:
    post = newsroom.post()
    seen = newsroom.version(post)
    review.edit_draft(newsroom.db, actors["editor"], post, version=seen, text="Somebody else was here.")
    with pytest.raises(StaleView, match="someone decided in between"):
        DECISIONS[name](newsroom.db, actors["approver"], post, seen)
    assert newsroom.place(post) == "review/pending"
    assert newsroom.value("select count(*) from review") == 0 and newsroom.audit("approve") == []


@pytest.mark.parametrize(
    ("name", "needed"),
    [("approve", "approver"), ("reject", "approver"), ("send_back", "editor"), ("edit_draft", "editor")],
)
@pytest.mark.parametrize("role", ["viewer", "editor", "approver", "admin"])
def test_roles(newsroom, actors, name: str, needed: str, role: str) -> None:
    post = newsroom.post()
    order = ["viewer", "editor", "approver", "admin"]
    if order.index(role) >= order.index(needed):
        DECISIONS[name](newsroom.db, actors[role], post, newsroom.version(post))
        assert newsroom.place(post) == AFTER[name]
    else:
        with pytest.raises(NotAllowed, match=needed):
            DECISIONS[name](newsroom.db, actors[role], post, newsroom.version(post))
        assert newsroom.place(post) == "review/pending"


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize(
    "place", ["triage/pending", "review/rejected", "post_queue/pending", "review/withdrawn"]
)
def test_a_post_that_does_not_wait_for_a_decision(newsroom, approver, name: str, place: str) -> None:
    stage, _ = place.split("/")
    post = newsroom.post(at=place if stage != "triage" else "response/pending")
    with pytest.raises(IllegalMove):
        DECISIONS[name](newsroom.db, approver, post, newsroom.version(post))


@pytest.mark.parametrize("name", DECISIONS)
def test_a_post_that_is_not_there(newsroom, approver, name: str) -> None:
    with pytest.raises(ConfigInvalid, match="no post 999"):
        DECISIONS[name](newsroom.db, approver, 999, 0)


def test_approval_writes_all_four_tables(newsroom, approver) -> None:
    post = newsroom.post()
    done = review.approve(newsroom.db, approver, post, version=newsroom.version(post), text=TEXT)
    assert (done.way, done.text, done.was_edited) == ("api", TEXT, False)
    [part] = newsroom.rows("select * from publication_part")
    [worded] = newsroom.rows("select * from review_part")
    assert part["text"] == worded["text"] == TEXT and part["sha256"] == worded["sha256"] == sha256_hex(TEXT)
    assert newsroom.state(done.publication_id) == "queued"
    [decided] = newsroom.rows("select * from review")
    assert decided["id"] == done.review_id and decided["decision"] == "approved"
    assert not decided["is_simulated"] and not decided["was_edited"]
    assert newsroom.value("select count(*) from draft") == 1


def test_who_was_not_summoned_is_answered_by_hand(newsroom, approver) -> None:
    post = newsroom.post(summoned=False)
    done = review.approve(newsroom.db, approver, post, version=0, text=TEXT)
    assert done.way == "handoff" and newsroom.state(done.publication_id) == "handoff"


def test_eight_clicks_queue_once(newsroom, actors) -> None:
    post = newsroom.post()
    who = [actors["approver"], actors["admin"]] * 4

    def click(actor: Actor) -> str:
        try:
            review.approve(newsroom.db, actor, post, version=0, text=TEXT)
        except StaleView:
            return "stale"
        return "approved"

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(click, who))
    assert outcomes == {"approved": 1, "stale": 7}
    assert (
        newsroom.value("select count(*) from publication")
        == 1
        == newsroom.value("select count(*) from review")
    )
    assert len(newsroom.audit("approve")) == 1


def test_an_edit_on_approval_is_a_version_of_its_own(newsroom, approver) -> None:
    post = newsroom.post()
    done = review.approve(newsroom.db, approver, post, version=0, text="My own words.")
    assert done.was_edited
    drafts = newsroom.rows("select * from draft order by version")
    assert [(d["version"], d["text"], d["author_id"]) for d in drafts] == [
        (1, TEXT, None),
        (2, "My own words.", approver.person_id),
    ]
    assert drafts[0]["superseded_by"] == drafts[1]["id"]
    assert newsroom.value("select draft_id from review") == drafts[1]["id"]
    assert newsroom.value("select was_edited from review") is True
    [row] = newsroom.audit("approve")
    assert row["diff"]["from_draft"] == drafts[0]["id"] and 0 < row["diff"]["edit_share"] <= 1


def test_an_edit_before_approval_counts_as_edited_and_keeps_the_quotes(
    newsroom, actors, give_evidence
) -> None:
    post = newsroom.post()
    give_evidence(post)
    draft_id = review.edit_draft(newsroom.db, actors["editor"], post, version=0, text="Better words.")
    assert newsroom.value("select count(*) from draft_evidence where draft_id = %s", draft_id) == 1
    version = newsroom.version(post)
    assert version == 1
    done = review.approve(newsroom.db, actors["approver"], post, version=version, text="Better words.")
    assert done.was_edited and newsroom.value("select count(*) from draft") == 2
    # The audit only grows, and drafts are purged with their posts.
    assert newsroom.audit("edit_draft")[0]["diff"]["draft_id"] == draft_id
    assert newsroom.rows("select 1 from audit_event where diff::text ~ 'Better words|12:04'") == []


def test_the_same_words_are_no_edit(newsroom, actors) -> None:
    post = newsroom.post()
    draft_id = review.edit_draft(newsroom.db, actors["editor"], post, version=0, text=f"  {TEXT} \r\n")
    assert draft_id == newsroom.value("select id from draft") and newsroom.version(post) == 0


def test_the_text_is_normalised_before_it_is_hashed(newsroom, approver) -> None:
    post = newsroom.post()
    done = review.approve(
        newsroom.db, approver, post, version=0, text="Cafe\u0301 at 12:04 \r\n and more\t \n"
    )
    assert done.text == "Caf\u00e9 at 12:04\n and more"
    assert newsroom.value("select sha256 from publication_part") == sha256_hex(done.text)


@pytest.mark.parametrize(
    ("text", "message"), [("  \n", "empty"), ("x" * 281, "281 long"), ("a\x00b", "cannot be sent")]
)
def test_a_text_that_cannot_be_sent(newsroom, approver, text: str, message: str) -> None:
    post = newsroom.post()
    with pytest.raises(DecisionInvalid, match=message):
        review.approve(newsroom.db, approver, post, version=0, text=text)
    assert newsroom.place(post) == "review/pending" and newsroom.value("select count(*) from draft") == 1


def test_a_reject_needs_a_reason_that_is_known(newsroom, approver) -> None:
    post = newsroom.post()
    for reason, note in [("because", ""), ("other", " ")]:
        with pytest.raises(DecisionInvalid):
            review.reject(newsroom.db, approver, post, version=0, reason=reason, note=note)
    review.reject(newsroom.db, approver, post, version=0, reason="other", note="we know him")
    [row] = newsroom.rows("select reason, note, decision from review")
    assert row == {"reason": "other", "note": "we know him", "decision": "rejected"}


def test_a_rejected_post_can_be_reopened(newsroom, actors) -> None:
    post = newsroom.post()
    review.reject(newsroom.db, actors["approver"], post, version=0, reason="tone")
    with pytest.raises(NotAllowed):
        review.reopen(newsroom.db, actors["editor"], post, version=1)
    with pytest.raises(StaleView):
        review.reopen(newsroom.db, actors["approver"], post, version=0)
    review.reopen(newsroom.db, actors["approver"], post, version=1)
    assert newsroom.place(post) == "review/pending" and len(newsroom.audit("reopen")) == 1
    assert newsroom.value("select rejection_reason from post") is None


def test_a_refused_reply_may_be_approved_again(newsroom, approver) -> None:
    post = newsroom.post()
    first = review.approve(newsroom.db, approver, post, version=0, text=TEXT)
    newsroom.force(first.publication_id, "refused")
    again = review.approve(newsroom.db, approver, post, version=newsroom.version(post), text="Shorter.")
    assert again.publication_id != first.publication_id and newsroom.place(post) == "post_queue/pending"


def test_a_role_that_was_taken_away_counts_at_once(newsroom, actors) -> None:
    post = newsroom.post()
    change_role(newsroom.db, actors["admin"], "some-approver", "viewer")
    with pytest.raises(NotAllowed, match="viewer"):
        review.approve(newsroom.db, actors["approver"], post, version=0, text=TEXT)
    deactivate(newsroom.db, actors["admin"], "some-editor")
    with pytest.raises(NotAllowed, match="not active"):
        review.edit_draft(newsroom.db, actors["editor"], post, version=0, text="x")


def test_the_machine_is_no_reviewer(newsroom) -> None:
    post = newsroom.post()
    with pytest.raises(NotAllowed, match="needs a person"):
        review.approve(newsroom.db, machine_owner(), post, version=0, text=TEXT)


def test_the_simulated_reviewer_is_kept_to_the_sandbox(newsroom, disable_live) -> None:
    with pytest.raises(ConfigInvalid, match="live is not the sandbox"):
        simulated_reviewer(newsroom.db)
    disable_live()
    actor = simulated_reviewer(newsroom.db)
    assert simulated_reviewer(newsroom.db) == actor and actor.is_simulated
    rehearsed, live = newsroom.post(), newsroom.post("live")
    review.approve(newsroom.db, actor, rehearsed, version=0, text=TEXT)
    assert newsroom.value("select is_simulated from review") is True
    with pytest.raises(NotAllowed, match="simulated"):
        review.approve(newsroom.db, actor, live, version=0, text=TEXT)


def test_every_command_takes_database_and_actor_first() -> None:
    for name in ("approve", "reject", "send_back", "edit_draft", "reopen"):
        assert list(inspect.signature(getattr(review, name)).parameters)[:2] == ["db", "actor"]
