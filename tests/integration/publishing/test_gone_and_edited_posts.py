"""Deletions and edits on the platform: nothing is published about them, and what was deleted leaves every table."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from rejoinder.errors import IllegalMove
from rejoinder.listening.post import Post
from resources.commands.review import reopen
from resources.commands.upkeep import retry
from resources.compliance import count_to_recheck, recheck_posts
from resources.listening import HeardCounts, save_posts
from resources.platforms.failures import OutcomeUnknown, SpendStopped, Unreachable
from resources.platforms.port import Standing
from resources.purging import purge_posts
from resources.store.posts import NewPost, Saved, insert_post, insert_posts
from resources.tuning import Tuning
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)
SENTINEL = "quokka"  # in no table once its post is purged


@dataclass
class Witness:
    """Says of posts by id how they read now; None: gone, left out: not said."""

    texts: dict[str, str | None] = field(default_factory=dict)
    failure: Exception | None = None
    asked: list[list[str]] = field(default_factory=list)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        self.asked.append(list(ids))
        if self.failure:
            raise self.failure
        return {i: Standing(seen(i, self.texts[i])) for i in ids if i in self.texts}


def seen(post_id: str, text: str | None) -> Post | None:
    return None if text is None else Post("x", post_id, text, datetime(2026, 11, 1, tzinfo=UTC))


def look(desk: Any, witness: Witness, *, later: timedelta, tuning: Tuning | None = None) -> Any:
    return recheck_posts(
        desk.db,
        open_client=lambda channel, credential: witness,
        tuning=tuning or desk.tuning,
        stop=StopSignal(),
        now=lambda: datetime.now(UTC) + later,
    )


def place(desk: Any, post_id: str) -> str:
    row = desk.rows("select stage || '/' || status as place from post where platform_post_id = %s", post_id)
    return str(row[0]["place"])


def text_of(desk: Any, post_id: str) -> str:
    return str(desk.rows("select text from post where platform_post_id = %s", post_id)[0]["text"])


def enrich(desk: Any, post_id: str) -> None:
    """Give a post a row in every table that is made of posts, each with the sentinel in it."""
    post = desk.rows(
        "update post set text = %s, author = %s, rejection_reason = %s where platform_post_id = %s returning id",
        f"{SENTINEL} text",
        f"{SENTINEL}_author",
        f"{SENTINEL} is no claim",
        post_id,
    )[0]["id"]
    desk.rows(
        "insert into post_context values (%s, 0, '9', %s, %s, now())", post, f"{SENTINEL}_parent", SENTINEL
    )
    desk.rows(
        "insert into stage_result (post_id, stage, result) values (%s, 's', %s)", post, f'["{SENTINEL}"]'
    )
    desk.rows(
        "insert into stage_decision (post_id, step, verdict, reason) values (%s, 'relevance', 'yes', %s)",
        post,
        SENTINEL,
    )
    desk.rows(
        "insert into claim (post_id, position, kind, text, check_worthiness) values (%s, 0, 'k', %s, 1)",
        post,
        SENTINEL,
    )
    desk.rows("update draft set text = %s where post_id = %s", f"{SENTINEL} draft", post)
    desk.rows(
        "insert into draft_check select id, 'c', true, %s from draft where post_id = %s", SENTINEL, post
    )
    desk.rows(
        "insert into quarantine (kind, name, reason, content_hash, excerpt) values ('post', %s, 'r', 'h', %s)",
        f"x:{post_id}",
        SENTINEL,
    )
    desk.rows(
        "insert into dead_letter (item_table, item_id, step, reason) values ('post', %s, 'claims', %s)",
        post,
        f"{SENTINEL} is too long",
    )
    desk.rows(
        "insert into llm_cache (key, reply, checksum, size_bytes, expires_at, input_ref)"
        " values (sha256('k'), %s, sha256('c'), 1, now() + interval '1 day', %s)",
        SENTINEL,
        f"post:{post}",
    )
    desk.rows(
        "insert into model_run (run_type, model, input_ref, n_items, tokens_in, tokens_out, cost_usd, latency_ms,"
        " is_ok, error) values ('generate', 'm', %s, 1, 1, 1, 0, 1, false, %s)",
        f"post:{post}",
        SENTINEL,
    )


def tables_with(desk: Any, word: str) -> list[str]:
    """Every table that holds a word in any column."""
    tables = desk.rows(
        "select table_name as name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    return [
        table["name"]
        for table in tables
        if desk.rows(
            f'select 1 from "{table["name"]}" t where to_jsonb(t)::text like %s limit 1', f"%{word}%"
        )
    ]


def test_what_was_deleted_is_withdrawn_at_once_and_leaves_every_table_after_a_second_look(desk):
    publication = desk.approved(desk.channel())
    enrich(desk, "1001")
    assert "post" in tables_with(desk, SENTINEL) and "claim" in tables_with(desk, SENTINEL)
    witness = Witness({"1001": None})
    report = look(desk, witness, later=13 * HOUR)
    assert report.channels["rehearsal"] == {"gone": 1}
    assert place(desk, "1001") == "post_queue/withdrawn"
    assert desk.publication(publication)["state"] == "cancelled"
    assert "post" in tables_with(desk, SENTINEL)
    look(desk, witness, later=13.1 * HOUR)
    assert len(witness.asked) == 1, "looked again before its time"
    report = look(desk, witness, later=14 * HOUR)
    assert report.channels["rehearsal"] == {"purged": 1}
    assert tables_with(desk, SENTINEL) == []
    assert desk.run(later=15 * HOUR).sent == 0 and not desk.platform.replies
    assert look(desk, witness, later=48 * HOUR).channels["rehearsal"] == {}, (
        "purged posts are looked up no more"
    )


def test_content_goes_in_time_also_where_the_platform_does_not_answer_again(desk):
    desk.approved(desk.channel())
    enrich(desk, "1001")
    look(desk, Witness({"1001": None}), later=13 * HOUR)
    silent = Witness(failure=Unreachable("away"))
    report = look(desk, silent, later=15 * HOUR)
    assert list(report.errors) == ["channel rehearsal: unreachable: away"]
    assert "post" in tables_with(desk, SENTINEL)
    assert look(desk, silent, later=20 * HOUR).channels["rehearsal"]["purged"] == 1
    assert tables_with(desk, SENTINEL) == []


def test_a_post_that_was_hidden_for_a_while_starts_over(desk):
    publication = desk.approved(desk.channel())
    witness = Witness({"1001": None})
    look(desk, witness, later=13 * HOUR)
    witness.texts["1001"] = text_of(desk, "1001")
    assert look(desk, witness, later=14 * HOUR).channels["rehearsal"] == {"restored": 1}
    assert place(desk, "1001") == "triage/pending"
    assert desk.publication(publication)["state"] == "cancelled"
    assert desk.rows("select gone_at from post") == [{"gone_at": None}]


def test_nothing_brings_back_an_author_who_opted_out(desk):
    desk.approved(desk.channel())
    witness = Witness({"1001": None})
    look(desk, witness, later=13 * HOUR)
    desk.rows("insert into opt_out (platform, author, reason) select 'x', upper(author), 'stop' from post")
    witness.texts["1001"] = "another wording"
    look(desk, witness, later=14 * HOUR)
    assert place(desk, "1001") == "post_queue/withdrawn"


def test_an_edit_voids_the_approval_and_starts_over(desk):
    publication = desk.approved(desk.channel())
    report = look(desk, Witness({"1001": "Heat pumps do work"}), later=13 * HOUR)
    assert report.channels["rehearsal"] == {"edited": 1}
    assert place(desk, "1001") == "triage/pending" and text_of(desk, "1001") == "Heat pumps do work"
    made = desk.publication(publication)
    assert (made["state"], made["reason_code"]) == ("cancelled", "edited")
    assert desk.run(later=14 * HOUR).sent == 0 and not desk.platform.replies


def test_a_hand_off_is_given_up_when_its_post_is_gone(desk):
    publication = desk.approved(desk.channel())
    desk.rows("update publication set state = 'handoff' where id = %s", publication)
    look(desk, Witness({"1001": None}), later=13 * HOUR)
    assert desk.publication(publication)["state"] == "abandoned"


def test_what_stands_costs_one_lookup_in_half_a_day_and_who_may_be_answered_comes_first(desk):
    channel = desk.channel()
    for _ in range(3):
        desk.approved(channel)
    desk.rows("update post set status = 'withdrawn' where platform_post_id = '1001'")
    witness = Witness({i: text_of(desk, i) for i in ("1001", "1002", "1003")})
    assert count_to_recheck(desk.db) == 0
    assert count_to_recheck(desk.db, lambda: datetime.now(UTC) + 13 * HOUR) == 3
    assert look(desk, witness, later=13 * HOUR).channels["rehearsal"] == {"stands": 3}
    assert sorted(witness.asked[0][:2]) == ["1002", "1003"]
    look(desk, witness, later=14 * HOUR)
    assert len(witness.asked) == 1
    look(desk, witness, later=26 * HOUR)
    assert len(witness.asked) == 2


def test_posts_of_which_the_platform_said_nothing_are_asked_for_again_soon(desk):
    desk.approved(desk.channel())
    witness = Witness()
    assert look(desk, witness, later=13 * HOUR).channels["rehearsal"] == {"unsaid": 1}
    witness.texts["1001"] = text_of(desk, "1001")
    assert look(desk, witness, later=13.3 * HOUR).channels["rehearsal"] == {"stands": 1}


def test_a_spent_budget_stops_lookups_with_a_clear_state(desk):
    desk.approved(desk.channel())
    report = look(desk, Witness(failure=SpendStopped(None, "today's budget is spent")), later=13 * HOUR)
    assert len(report.errors) == 1
    assert desk.rows("select state, detail from channel_state where part = 'compliance'") == [
        {"state": "stopped", "detail": "today's budget is spent"}
    ]


def test_a_reply_that_stands_keeps_its_place_and_its_own_words(desk):
    publication = desk.approved(desk.channel(), text="They do, at 12:04.")
    desk.run()
    enrich(desk, "1001")
    witness = Witness({"1001": None})
    look(desk, witness, later=13 * HOUR)
    look(desk, witness, later=14 * HOUR)
    assert place(desk, "1001") == "done/completed" and tables_with(desk, SENTINEL) == []
    assert desk.publication(publication)["state"] == "sent"
    assert desk.rows("select text from review_part") == [{"text": "They do, at 12:04."}]


def test_posts_left_alone_are_forgotten_unless_they_may_be_learnt_from(desk):
    kept, left = desk.channel("kept"), desk.channel("left")
    desk.rows("update channel set policy = jsonb_set(policy, '{may_train}', 'false') where name = 'left'")
    for channel in (kept, left):
        desk.approved(channel)
    desk.rows("update post set stage = 'review', step = 'review', status = 'pending'")
    desk.rows("update post set status = 'rejected', heard_at = now() - interval '31 days'")
    witness = Witness({i: text_of(desk, i) for i in ("1001", "1002")})
    look(desk, witness, later=timedelta())
    assert (text_of(desk, "1001") != "", text_of(desk, "1002")) == (True, "")
    assert place(desk, "1002") == "review/rejected"
    with pytest.raises(psycopg.errors.CheckViolation, match="purged"):
        desk.rows("update post set status = 'pending' where platform_post_id = '1002'")


def test_for_ever_is_zero_days(desk):
    desk.approved(desk.channel())
    desk.rows("update channel set policy = jsonb_set(policy, '{may_train}', 'false')")
    desk.rows("update post set stage = 'review', step = 'review', status = 'pending'")
    desk.rows("update post set status = 'rejected', heard_at = now() - interval '310 days'")
    compliance = desk.tuning.compliance.model_copy(update={"keep_days": 0})
    tuning = desk.tuning.model_copy(update={"compliance": compliance})
    look(desk, Witness({"1001": text_of(desk, "1001")}), later=timedelta(), tuning=tuning)
    assert text_of(desk, "1001") != ""


def test_an_edit_that_is_heard_voids_the_approval_too_and_brings_back_nothing_that_was_purged(desk):
    channel = desk.channel()
    queued, purged = desk.approved(channel), desk.approved(channel)
    witness = Witness({"1001": text_of(desk, "1001"), "1002": None})
    look(desk, witness, later=13 * HOUR)
    look(desk, witness, later=14 * HOUR)
    with desk.db.transaction() as tx:
        outcomes = [
            insert_post(
                tx, channel.id, replace(seen(i, "another wording"), author="a"), is_summoned=False, priority=0
            )
            for i in ("1001", "1002")
        ]
    assert outcomes == ["edited", "known"]
    assert (place(desk, "1001"), place(desk, "1002")) == ("triage/pending", "post_queue/withdrawn")
    assert [desk.publication(i)["reason_code"] for i in (queued, purged)] == ["edited", "withdrawn"]


def test_a_newer_version_with_an_id_of_its_own_takes_the_place_of_the_older(desk):
    publication = desk.approved(desk.channel())
    enrich(desk, "1001")
    newer = replace(seen("2001", "said better"), author="author1", earlier_ids=("1001",))
    witness = Witness()
    witness.look_up = lambda ids: {i: Standing(newer) for i in ids}  # type: ignore[method-assign]
    assert look(desk, witness, later=13 * HOUR).channels["rehearsal"]["replaced"] == 1
    assert (place(desk, "1001"), place(desk, "2001")) == ("post_queue/withdrawn", "triage/pending")
    assert desk.publication(publication)["reason_code"] == "edited"
    assert look(desk, witness, later=14 * HOUR).channels["rehearsal"]["purged"] == 1
    assert tables_with(desk, SENTINEL) == []


def test_a_newer_version_that_is_heard_withdraws_the_older(desk):
    channel = desk.channel()
    publication = desk.approved(channel)
    newer = replace(seen("2001", "said better"), author="author1", earlier_ids=("1001", "1500"))
    with desk.db.transaction() as tx:
        save_posts(tx, channel, [newer], HeardCounts())
    assert (place(desk, "1001"), place(desk, "2001")) == ("post_queue/withdrawn", "triage/pending")
    assert desk.publication(publication)["reason_code"] == "edited"


@pytest.mark.parametrize(
    ("text_now", "outcome"), [(None, "withdrawn"), ("said otherwise", "edited"), ("as it was", "sent")]
)
def test_the_publisher_looks_once_more_before_it_answers(desk, text_now, outcome):
    publication = desk.approved(desk.channel())
    desk.rows("update post set text = 'as it was'")
    desk.platform.capabilities = frozenset({"look_up"})
    desk.platform.look_up = lambda ids: {i: Standing(seen(i, text_now)) for i in ids}
    report = desk.run(later=HOUR)
    made = desk.publication(publication)
    assert (report.sent, report.cancelled) == ((1, 0) if outcome == "sent" else (0, 1))
    assert outcome in (made["reason_code"], made["state"])


def test_nothing_is_sent_while_the_platform_cannot_say_whether_the_post_stands(desk):
    publication = desk.approved(desk.channel())
    desk.platform.capabilities = frozenset({"look_up"})

    def fail(ids):
        raise Unreachable("away")

    desk.platform.look_up = fail
    report = desk.run(later=HOUR)
    assert report.sent == 0 and desk.publication(publication)["state"] == "queued"
    assert list(report.errors) == ["unreachable: away"]
    desk.platform.look_up = lambda ids: {}
    assert desk.run(later=2 * HOUR).sent == 0


def test_who_edits_a_post_into_a_stop_is_left_alone(desk):
    desk.approved(desk.channel())
    stop = replace(seen("1001", "@rejoinder stop"), author="author1", mentions=("rejoinder",))
    witness = Witness()
    witness.look_up = lambda ids: {i: Standing(stop) for i in ids}  # type: ignore[method-assign]
    look(desk, witness, later=13 * HOUR)
    assert desk.rows("select author, is_asked from opt_out") == [{"author": "author1", "is_asked": True}]
    assert place(desk, "1001") == "triage/withdrawn"


def test_what_was_purged_is_not_tried_again_and_keeps_nothing_else_from_it(desk):
    desk.approved(desk.channel())
    enrich(desk, "1001")
    desk.rows("update post set stage = 'triage', step = 'claims', status = 'pending'")
    desk.rows("update post set status = 'processing', lease_worker = 1, lease_until = now()")
    desk.rows("update post set status = 'dead', lease_worker = null, lease_until = null")
    with desk.db.transaction() as tx:
        assert purge_posts(tx, [desk.rows("select id from post")[0]["id"]], datetime.now(UTC)) == 1
    assert tables_with(desk, SENTINEL) == []
    assert desk.rows("select 1 from dead_letter where revived_at is null") == []
    editor = replace(desk.approver, role="admin")
    desk.rows("update person set role = 'admin'")
    assert retry(desk.db, editor).revived["post"] == 0


def test_a_person_can_decide_nothing_about_what_was_purged(desk):
    desk.approved(desk.channel())
    desk.rows("update post set stage = 'review', step = 'review', status = 'pending'")
    desk.rows("update post set status = 'rejected'")
    post, version = next((row["id"], row["version"]) for row in desk.rows("select id, version from post"))
    with desk.db.transaction() as tx:
        assert purge_posts(tx, [post], datetime.now(UTC)) == 1
    with pytest.raises(IllegalMove, match="no content any more"):
        reopen(desk.db, desk.approver, post, version=version + 1)


def test_terms_however_short_let_a_look_come_to_its_end(desk):
    desk.approved(desk.channel())
    desk.rows("update channel set policy = jsonb_set(policy, '{retention_s}', '0')")
    witness = Witness({"1001": text_of(desk, "1001")})
    assert look(desk, witness, later=HOUR).channels["rehearsal"] == {"stands": 1}
    assert len(witness.asked) == 1


def test_a_newer_version_that_the_publisher_saw_first_is_kept_too(desk):
    desk.approved(desk.channel())
    newer = replace(seen("2001", "said better"), author="author1", earlier_ids=("1001",))
    witness = Witness()
    witness.look_up = lambda ids: {i: Standing(newer) for i in ids}  # type: ignore[method-assign]
    desk.platform.capabilities = frozenset({"look_up"})
    desk.platform.look_up = witness.look_up
    assert desk.run(later=HOUR).cancelled == 1
    assert look(desk, witness, later=2 * HOUR).channels["rehearsal"]["purged"] == 1
    assert (place(desk, "1001"), place(desk, "2001")) == ("post_queue/withdrawn", "triage/pending")


@pytest.mark.parametrize("is_hidden", [False, True])
def test_history_that_is_edited_or_comes_back_never_reaches_triage(desk, is_hidden):
    channel = desk.channel()
    with desk.db.transaction() as tx:
        new = NewPost(seen("1", "as it was"), False, 0, is_archived=True)
        assert insert_posts(tx, channel.id, [new], from_archive=True) == [Saved("new")]
    if is_hidden:
        look(desk, Witness({"1": None}), later=13 * HOUR)
    look(desk, Witness({"1": "said otherwise"}), later=14 * HOUR)
    assert place(desk, "1") == ("triage/withdrawn" if is_hidden else "triage/rejected")
    assert text_of(desk, "1") == "said otherwise"
    assert desk.rows("select gone_at from post") == [{"gone_at": None}]


def test_the_check_names_what_was_not_looked_up_or_purged_in_time(desk):
    channel = desk.channel()
    for _ in range(3):
        desk.approved(channel)

    def named() -> list[tuple[str, str]]:
        with desk.db.transaction() as tx:
            return [(row["key"], row["problem"].split()[1]) for row in tx.rows("check_post_standings")]

    assert named() == []
    desk.rows("update post set checked_at = now() - interval '25 hours' where platform_post_id = '1001'")
    desk.rows("update post set gone_at = now() - interval '25 hours' where platform_post_id = '1002'")
    assert named() == [("x:1001", "not"), ("x:1002", "gone")]
    desk.rows("update channel set is_enabled = false")
    assert named() == []


def test_what_is_never_looked_up_is_kept_no_longer_than_a_deletion_may_wait(desk):
    desk.approved(desk.channel())
    desk.rows("update channel set policy = jsonb_set(policy, '{may_train}', 'false')")
    desk.rows("insert into post_context select id, 0, '9', 'parent', 'words', now() from post")
    desk.rows(
        "insert into stage_decision (post_id, step, verdict, reason) select id, 'thread', 'read', '1' from post"
    )
    desk.rows(
        "insert into quarantine (kind, name, reason, content_hash, excerpt)"
        " values ('post', 'x:77', 'no time', 'h', 'words'), ('post', 'reddit:77', 'no time', 'h', 'words'),"
        " ('source', 'x:77', 'r', 'h', 'words')"
    )
    witness = Witness({"1001": text_of(desk, "1001")})
    kept = (
        "select (select count(*) from post_context) as threads,"
        " count(*) filter (where excerpt = 'words') as words from quarantine"
    )
    look(desk, witness, later=23 * HOUR)
    assert desk.rows(kept) == [{"threads": 1, "words": 3}]
    look(desk, witness, later=25 * HOUR)
    assert desk.rows(kept) == [{"threads": 0, "words": 2}]
    assert desk.rows("select reason from quarantine where name = 'x:77' and kind = 'post'") == [
        {"reason": "no time"}
    ]


def test_where_the_budget_is_nearly_spent_fewer_are_looked_up(desk):
    channel = desk.channel()
    for _ in range(12):
        desk.approved(channel)
    witness = Witness({str(1001 + n): text_of(desk, str(1001 + n)) for n in range(12)})
    answer = witness.look_up

    def look_up(ids):
        if len(ids) > 10:
            raise SpendStopped(None, "today's budget is spent")
        return answer(ids)

    witness.look_up = look_up  # type: ignore[method-assign]
    assert look(desk, witness, later=13 * HOUR).channels["rehearsal"] == {"stands": 10}
    assert look(desk, witness, later=13.5 * HOUR).channels["rehearsal"] == {"stands": 2}


def test_what_became_of_an_unseen_reply_is_still_written_down_when_its_post_was_purged(desk):
    publication = desk.approved(desk.channel())
    desk.platform.script = [("landed", OutcomeUnknown("lost"))]
    desk.platform.hides = True
    desk.run()
    assert desk.publication(publication)["state"] == "unknown"
    witness = Witness({"1001": None})
    look(desk, witness, later=13 * HOUR)
    assert look(desk, witness, later=14 * HOUR).channels["rehearsal"] == {"purged": 1}
    assert text_of(desk, "1001") == "" and place(desk, "1001") == "post_queue/processing"
    desk.platform.hides = False
    desk.run(later=15 * HOUR)
    assert (desk.publication(publication)["state"], place(desk, "1001")) == ("sent", "done/completed")


def test_an_answer_that_came_while_its_post_was_purged_goes_at_the_next_look(desk):
    desk.approved(desk.channel())
    witness = Witness({"1001": None})
    look(desk, witness, later=13 * HOUR)
    look(desk, witness, later=14 * HOUR)
    desk.rows(
        "insert into llm_cache (key, reply, checksum, size_bytes, expires_at, input_ref)"
        " select sha256('k'), %s, sha256('c'), 1, now() + interval '1 day', 'post:' || id from post",
        SENTINEL,
    )
    look(desk, witness, later=15 * HOUR)
    assert tables_with(desk, SENTINEL) == []
