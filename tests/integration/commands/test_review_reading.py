"""What a person reads before deciding: the queue, one case, counts, the audit."""

from collections.abc import Callable

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.review.moves import Place
from resources.commands import publications, review
from resources.store.review_values import AuditPage, QueueFilter, QueuePage, ReviewCase
from resources.store.reviews import audit_page, counts_by_place, load_case, review_queue

TEXT = "The episode has it at 12:04: heat pumps work below zero."


def queue(newsroom, **wanted: object) -> QueuePage:
    with newsroom.db.transaction() as tx:
        return review_queue(tx, QueueFilter(**wanted))


def case_of(newsroom, post: int) -> ReviewCase:
    with newsroom.db.transaction() as tx:
        return load_case(tx, post)


def audit(newsroom, **wanted: object) -> AuditPage:
    with newsroom.db.transaction() as tx:
        return audit_page(tx, **wanted)


@pytest.fixture
def three(newsroom) -> list[int]:
    posts = [newsroom.post(), newsroom.post("subreddit", draft="Something 100% else"), newsroom.post()]
    newsroom.rows("update post set created_at = created_at - make_interval(days => id::int) returning id")
    newsroom.rows("update post set relevance = 0.5 where id = %s returning id", posts[0])
    return posts


@pytest.mark.parametrize(
    ("order", "places"),
    [("priority", [2, 1, 0]), ("newest", [0, 1, 2]), ("oldest", [2, 1, 0]), ("relevance", [0, 1, 2])],
)
def test_the_order_of_the_queue(newsroom, three, order: str, places: list[int]) -> None:
    assert [row.id for row in queue(newsroom, order=order).rows] == [three[i] for i in places]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"platform": "reddit"}, [1]),
        ({"channel": "rehearsal"}, [0, 2]),
        ({"search": "100% ELSE"}, [1]),
        ({"search": "SCEPTIC"}, [0, 1, 2]),
        ({"search": "nothing%"}, []),
        ({"stage": None, "status": None}, [0, 1, 2]),
        ({"status": "rejected"}, []),
    ],
)
def test_what_the_queue_leaves_out(newsroom, three, wanted: dict[str, object], found: list[int]) -> None:
    page = queue(newsroom, order="newest", **wanted)
    assert [row.id for row in page.rows] == [three[i] for i in found] and page.total == len(found)


def test_pages_know_the_total(newsroom, three) -> None:
    assert [len(queue(newsroom, limit=2, offset=n).rows) for n in (0, 2, 4)] == [2, 1, 0]
    assert {queue(newsroom, limit=2, offset=n).total for n in (0, 2, 4)} == {3}


def test_a_row_has_what_a_list_shows(newsroom, actors) -> None:
    post = newsroom.post()
    review.edit_draft(newsroom.db, actors["editor"], post, version=0, text="Second words.")
    newsroom.rows(
        "insert into draft_check (draft_id, name, is_passed, detail)"
        " select max(id), 'length', false, 'd' from draft returning name"
    )
    [row] = queue(newsroom).rows
    assert (row.version, row.channel, row.is_sandbox, row.draft_text) == (
        1,
        "rehearsal",
        True,
        "Second words.",
    )
    assert (row.failed_checks, row.author, row.is_summoned) == (1, "sceptic", True)


def test_a_case_tells_the_whole_story(newsroom, actors, give_evidence: Callable[[int], None]) -> None:
    post = newsroom.post()
    give_evidence(post)
    review.send_back(newsroom.db, actors["editor"], post, version=0, note="name the guest")
    case = case_of(newsroom, post)
    assert case.place == Place("response", "pending") and case.version == 1 and case.handoff is None
    assert (
        case.channel.is_sandbox and case.channel.policy.name == "sandbox/x/self_serve" and case.way == "api"
    )
    assert [(d.step, d.verdict, d.reason) for d in case.stage_decisions] == [
        ("relevance", "relevant", "similar")
    ]
    assert [c.text for c in case.claims] == ["they never work"]
    [found] = case.evidence
    assert (found.source_title, found.start_s, found.verdict) == ("Heat", 724, "disputes")
    assert case.draft is not None and case.draft.quotes[0].source_title == "Heat"
    assert [(c.name, c.is_passed) for c in case.draft.checks] == [("length", True)]
    assert [(r.decision, r.note, r.reviewer) for r in case.reviews] == [
        ("sent_back", "name the guest", "Editor")
    ]


def test_only_approved_words_get_a_link(newsroom, actors) -> None:
    post = newsroom.post(summoned=False)
    before = case_of(newsroom, post)
    assert before.way == "handoff" and before.handoff is None
    done = review.approve(newsroom.db, actors["approver"], post, version=0, text="My words.")
    case = case_of(newsroom, post)
    assert case.handoff is not None and case.handoff.text == "My words." and "My%20words." in case.handoff.url
    assert [d.author for d in case.drafts] == [None, "Approver"] and case.reviews[0].was_edited
    publications.record_handoff(newsroom.db, actors["approver"], done.publication_id, "20")
    after = case_of(newsroom, post)
    assert after.handoff is None
    [publication] = after.publications
    assert [(e.from_state, e.to_state) for e in publication.events] == [
        (None, "handoff"),
        ("handoff", "sent"),
    ]
    assert [(p.text, p.state, p.platform_id) for p in publication.parts] == [("My words.", "sent", "20")]


def test_a_case_that_is_not_there(newsroom) -> None:
    with pytest.raises(ConfigInvalid, match="no post 5"):
        case_of(newsroom, 5)


def test_counts(newsroom, three) -> None:
    newsroom.post(at="response/dead")
    with newsroom.db.transaction() as tx:
        counts = counts_by_place(tx)
    assert counts == {Place("review", "pending"): 3, Place("response", "dead"): 1}


def test_the_audit_is_read_newest_first(newsroom, actors, three) -> None:
    review.reject(newsroom.db, actors["approver"], three[0], version=0, reason="tone")
    review.send_back(newsroom.db, actors["editor"], three[1], version=0, note="n")
    page = audit(newsroom)
    assert [row.action for row in page.rows] == ["send_back", "reject"] and page.total == 2
    assert [r.person for r in audit(newsroom, person="some-editor").rows] == ["some-editor"]
    only = audit(newsroom, entity_type="post", entity_id=three[0])
    assert [r.diff["reason"] for r in only.rows] == ["tone"] and only.total == 1
    assert audit(newsroom, limit=1, offset=1).rows[0].action == "reject"
