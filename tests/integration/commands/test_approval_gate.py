"""Red team: no way leads from words that nobody approved to words that are sent.

Every attack runs with the login that a part of Rejoinder really has, by plain SQL, as a bug or an injection would.
"""

import pytest
from psycopg import errors

from rejoinder.errors import ConfigInvalid, IllegalMove, NotAllowed, StaleView
from rejoinder.ids import sha256_hex
from resources.commands import publications, review
from resources.commands.people import simulated_reviewer
from resources.postgres import Database

TEXT = "The episode has it at 12:04: heat pumps work below zero."
OTHER = "Buy my heat pump."
REFUSED = (
    errors.InsufficientPrivilege,
    errors.CheckViolation,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
)

PART = "insert into publication_part (publication_id, position, text, sha256) values (%s, %s, %s, %s)"
REVIEW = (
    "insert into review (post_id, draft_id, reviewer_id, decision, reason, is_simulated)"
    " select %s, (select max(id) from draft where post_id = %s), %s, %s, %s, %s returning id"
)
WORDS = "insert into review_part (review_id, position, text, sha256) values (%s, 0, %s, %s)"
PUBLICATION = (
    "insert into publication (post_id, review_id, channel_id, state)"
    " values (%s, %s, (select channel_id from post where id = %s), 'queued') returning id"
)

AUDIT = (
    "insert into audit_event (person_id, actor, action, entity_type, entity_id)"
    " values (%s, 'forged', 'approve', 'post', %s)"
)
SENDING = (
    "update publication set state = 'sending', lease_worker = 1, lease_until = now() + interval '1 minute'"
)


def run(database: Database, statement: str, *values: object) -> list[dict[str, object]]:
    with database.transaction() as tx:
        cursor = tx.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def publish(
    database: Database, post: int, reviewer: int, words: str, *, sent: str, position: int = 0, **given
) -> None:
    """All four inserts of an approval by hand, in one transaction, each value forged at will."""
    of_post = given.get("review_of", post)
    decision, simulated = given.get("decision", "approved"), given.get("simulated", False)
    reason = "tone" if decision == "rejected" else None
    with database.transaction() as tx:
        sql = tx.connection
        decided = sql.execute(REVIEW, (of_post, of_post, reviewer, decision, reason, simulated)).fetchone()[
            "id"
        ]
        sql.execute(WORDS, (decided, words, sha256_hex(words)))
        answered = sql.execute(PUBLICATION, (post, decided, post)).fetchone()["id"]
        sql.execute(PART, (answered, position, sent, sha256_hex(sent)))
        sql.execute(AUDIT, (reviewer, of_post))


@pytest.fixture
def approved(newsroom, approver):
    """An approved, queued reply."""
    return review.approve(newsroom.db, approver, newsroom.post(), version=0, text=TEXT)


def parts(newsroom) -> list[tuple[object, ...]]:
    return [
        tuple(r.values()) for r in newsroom.rows("select position, text from publication_part order by 1")
    ]


def test_the_forgery_itself_works_when_nothing_is_forged(newsroom, approver) -> None:
    """Otherwise every refusal below might have another cause."""
    publish(newsroom.db, newsroom.post(), approver.person_id, TEXT, sent=TEXT)
    assert parts(newsroom) == [(0, TEXT)]


@pytest.mark.parametrize(
    "forged",
    [
        {"sent": OTHER},
        {"sent": TEXT + " "},
        {"sent": TEXT, "position": 1},
        {"sent": TEXT, "decision": "rejected"},
        {"sent": TEXT, "decision": "sent_back"},
        {"sent": TEXT, "simulated": True},
    ],
    ids=["other text", "one space more", "other position", "rejected", "sent back", "not simulated"],
)
def test_a_forged_approval_is_refused(newsroom, approver, forged) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        publish(newsroom.db, newsroom.post(), approver.person_id, TEXT, **forged)
    assert parts(newsroom) == [] and newsroom.rows("select * from publication") == []


def test_another_posts_review(newsroom, approver) -> None:
    mine, other = newsroom.post(), newsroom.post()
    with pytest.raises(errors.InsufficientPrivilege):
        publish(newsroom.db, mine, approver.person_id, TEXT, sent=TEXT, review_of=other)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_the_review_of_somebody_who_may_not_approve(newsroom, actors, role) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        publish(newsroom.db, newsroom.post(), actors[role].person_id, TEXT, sent=TEXT)


def test_the_review_of_somebody_who_left(newsroom, approver) -> None:
    run(newsroom.owner, "update person set is_active = false where id = %s", approver.person_id)
    with pytest.raises(errors.InsufficientPrivilege):
        publish(newsroom.db, newsroom.post(), approver.person_id, TEXT, sent=TEXT)


def test_a_simulated_review_outside_the_sandbox(newsroom, disable_live) -> None:
    disable_live()
    nobody = simulated_reviewer(newsroom.db).person_id
    publish(newsroom.db, newsroom.post(), nobody, TEXT, sent=TEXT, simulated=True)
    for simulated in (True, False):
        with pytest.raises(errors.InsufficientPrivilege):
            publish(newsroom.db, newsroom.post("live"), nobody, TEXT, sent=TEXT, simulated=simulated)
    assert len(parts(newsroom)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update channel set is_sandbox = true where name = 'live'",
        "update person set is_simulated = false, password_hash = 'x' where name = 'simulated-reviewer'",
        "update person set name = 'ada', display_name = 'Ada' where name = 'simulated-reviewer'",
    ],
)
def test_a_simulated_reviewer_cannot_be_made_real(newsroom, disable_live, statement) -> None:
    disable_live()
    simulated_reviewer(newsroom.db)
    with pytest.raises(errors.InsufficientPrivilege):
        run(newsroom.db, statement)


ALTERATIONS = {
    "the words": "update publication_part set text = 'x', sha256 = encode(sha256('x'), 'hex')",
    "the words alone": "update publication_part set text = 'x'",
    "the position": "update publication_part set position = 1",
    "the part away": "delete from publication_part",
    "all parts away": "truncate publication_part",
    "the approved words": "update review_part set text = 'x', sha256 = encode(sha256('x'), 'hex')",
    "the approved words away": "delete from review_part",
    "the decision": "update review set decision = 'approved', reason = null",
    "the reviews away": "delete from review",
    "the publication away": "delete from publication",
    "the review of the publication": "update publication set review_id = review_id + 1",
    "the post of the publication": "update publication set post_id = post_id + 1",
    "the channel of the publication": "update publication set channel_id = channel_id + 1",
    "the post it answers": "update post set platform_post_id = '666'",
    "the channel it goes to": "update post set channel_id = channel_id + 1",
    "the trigger off": "alter table publication_part disable trigger publication_part_gate",
    "all triggers off": "set session_replication_role = replica",
    "the trigger away": "drop trigger publication_part_gate on publication_part",
    "the gate open": "create or replace function guard_publication_part() returns trigger language plpgsql"
    " as $$ begin return null; end $$",
    "a table of its own": "create table public.publication_part2 (id int)",
    "the moves": "insert into publication_move values ('cancelled', 'queued')",
    "the audit": "update audit_event set actor = 'somebody else'",
    "the audit away": "delete from audit_event",
    "the history": "update publication_event set to_state = 'sent'",
    "history made up": "insert into publication_event (publication_id, to_state) values (1, 'sent')",
    "another role": "set role rejoinder_owner",
    "the owner's database": "alter database current owner to current_user",
}


@pytest.mark.parametrize("what", ALTERATIONS)
@pytest.mark.parametrize("login", ["app", "publisher"])
def test_nothing_approved_can_be_altered(newsroom, approved, publisher_db, what, login) -> None:
    before = newsroom.rows("select * from publication_part"), newsroom.rows("select * from review_part")
    database = newsroom.db if login == "app" else publisher_db
    with pytest.raises((*REFUSED, errors.InvalidCatalogName, errors.SyntaxError)):
        run(database, ALTERATIONS[what])
    assert before == (
        newsroom.rows("select * from publication_part"),
        newsroom.rows("select * from review_part"),
    )
    assert newsroom.state(approved.publication_id) == "queued"


BEYOND_THE_PUBLISHER = {
    "a person of its own": "insert into person (name, display_name, role, password_hash)"
    " values ('eve', 'Eve', 'admin', 'x')",
    "a promotion": "update person set role = 'admin'",
    "a deactivation": "update person set is_active = false",
    "a password": "update person set password_hash = 'x'",
    "a look at the passwords": "select password_hash from person",
    "a channel of its own": "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
    " select project_id, 'mine', platform, account, is_sandbox, policy from channel limit 1",
    "the channel's policy": "update channel set policy = '{}'",
    "the channel's address": "update channel set base_url = 'http://127.0.0.1:1'",
    "a channel of no use": "update channel set is_enabled = false",
    "a credential": "update channel_read_credential set box = 'x'",
    "a write credential": "update channel_write_credential set box = 'x'",
    "an opt-out undone": "update opt_out set author = 'nobody'",
    "a cursor": "insert into cursor (channel_id, name, value) select id, 'n', '{}' from channel",
    "a champion": "update model_version set is_champion = true",
    "an audit row made up": "insert into audit_event (actor, action, entity_type) values ('ada', 'approve', 'post')",
}


@pytest.mark.parametrize("what", BEYOND_THE_PUBLISHER)
def test_the_publisher_changes_nothing_but_what_it_sends(newsroom, actors, publisher_db, what) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(publisher_db, BEYOND_THE_PUBLISHER[what])


@pytest.mark.parametrize("login", ["app", "publisher"])
def test_no_words_can_be_added_to_what_was_approved(newsroom, approved, publisher_db, login) -> None:
    database = newsroom.db if login == "app" else publisher_db
    second = "insert into review_part (review_id, position, text, sha256) values (%s, 1, %s, %s)"
    with pytest.raises(errors.InsufficientPrivilege):
        run(database, second, approved.review_id, OTHER, sha256_hex(OTHER))
    with pytest.raises(errors.InsufficientPrivilege):
        run(database, PART, approved.publication_id, 1, OTHER, sha256_hex(OTHER))
    assert parts(newsroom) == [(0, TEXT)]


def test_the_publisher_can_decide_nothing(newsroom, approver, publisher_db) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        publish(publisher_db, newsroom.post(), approver.person_id, TEXT, sent=TEXT)


def test_a_second_publication_of_one_review_or_post(newsroom, approver, approved) -> None:
    post = newsroom.value("select post_id from review")
    with pytest.raises(errors.UniqueViolation):
        run(newsroom.db, PUBLICATION, post, approved.review_id, post)
    with pytest.raises(errors.UniqueViolation):
        publish(newsroom.db, post, approver.person_id, OTHER, sent=OTHER)


@pytest.mark.parametrize("state", ["sending", "sent", "unknown"])
def test_a_publication_cannot_be_born_half_way(newsroom, approved, state) -> None:
    post = newsroom.post()
    statement = PUBLICATION.replace("'queued'", f"'{state}'")
    with pytest.raises(errors.CheckViolation):
        run(newsroom.db, statement, post, approved.review_id, post)


def test_the_commands_offer_no_way_round(newsroom, actors, approved) -> None:
    """After an approval no command changes its words; those that decide anew leave the old ones as they are."""
    db, post = newsroom.db, newsroom.value("select post_id from review")
    version = newsroom.version(post)
    attempts = [
        lambda: review.approve(db, actors["admin"], post, version=version, text=OTHER),
        lambda: review.approve(db, actors["admin"], post, version=version - 1, text=OTHER),
        lambda: review.approve(db, actors["editor"], post, version=version, text=OTHER),
        lambda: review.edit_draft(db, actors["admin"], post, version=version, text=OTHER),
        lambda: review.reject(db, actors["admin"], post, version=version, reason="tone"),
        lambda: review.send_back(db, actors["admin"], post, version=version, note=OTHER),
        lambda: review.reopen(db, actors["admin"], post, version=version),
        lambda: publications.record_handoff(db, actors["admin"], approved.publication_id, "20"),
        lambda: publications.abandon_handoff(db, actors["admin"], approved.publication_id),
        lambda: publications.settle_unknown(
            db, actors["admin"], approved.publication_id, "queued", confirm=True
        ),
    ]
    for attempt in attempts:
        with pytest.raises((IllegalMove, StaleView, NotAllowed, ConfigInvalid)):
            attempt()
    assert parts(newsroom) == [(0, TEXT)]
    publications.take_back(db, actors["admin"], approved.publication_id)
    again = review.approve(db, actors["admin"], post, version=newsroom.version(post), text=OTHER)
    assert newsroom.state(approved.publication_id) == "cancelled"
    live = newsroom.rows("select text from publication_part where publication_id = %s", again.publication_id)
    assert [row["text"] for row in live] == [OTHER]


@pytest.mark.parametrize("change", ["is_active = false", "role = 'viewer'"])
def test_an_approval_counts_until_the_words_are_sent(
    newsroom, approver, approved, publisher_db, change
) -> None:
    run(newsroom.owner, f"update person set {change} where id = %s", approver.person_id)
    run(publisher_db, SENDING)
    with pytest.raises(errors.InsufficientPrivilege):
        run(publisher_db, "update publication_part set state = 'sending'")


def test_what_was_sent_can_be_settled_after_its_reviewer_left(
    newsroom, approver, approved, publisher_db
) -> None:
    run(publisher_db, SENDING)
    run(publisher_db, "update publication_part set state = 'sending'")
    run(newsroom.owner, "update person set is_active = false where id = %s", approver.person_id)
    run(publisher_db, "update publication_part set state = 'sent', platform_id = '9'")
    assert newsroom.value("select state from publication_part") == "sent"


def test_every_word_of_every_publication_has_its_approval(newsroom, actors) -> None:
    """The question of the demo, asked of the tables: sent words that no review has."""
    for n in range(3):
        review.approve(newsroom.db, actors["approver"], newsroom.post(), version=0, text=f"Reply {n}")
    unapproved = newsroom.value(
        "select count(*) from publication_part a join publication p on p.id = a.publication_id"
        " left join review_part w on (w.review_id, w.position, w.sha256) = (p.review_id, a.position, a.sha256)"
        " left join review r on r.id = w.review_id and r.decision = 'approved'"
        " where r.id is null"
    )
    assert unapproved == 0 and len(parts(newsroom)) == 3
