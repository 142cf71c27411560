"""A reply's link from the decision to the reader: proposed, priced, drafted, approved as it stands, counted, kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from cli.case_text import case_lines
from rejoinder.engagement.visits import Visit
from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.review.links import with_link, without_link
from resources.commands import people
from resources.commands.actors import Actor, machine_owner
from resources.commands.review import approve
from resources.postgres import Database
from resources.provision import Addresses
from resources.purging import purge_posts
from resources.settings import Settings
from resources.store.channels import save_channel
from resources.store.conversions import Conversion, conversions_of, save_conversion
from resources.store.links import follow
from resources.store.posts import insert_post
from resources.store.prompt_versions import ensure_prompts
from resources.store.reviews import load_case
from resources.tuning import Tuning
from resources.tuning_sections import Links
from resources.wiring import run_step
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PLAIN, LINKED = 0.01, 0.2
DIRECT = "https://example.com/514#t=1131"
OWN = "https://go.example"
POLICY = replace(
    default_policy("sandbox/x/self_serve"),
    price_per_create_usd=0.015,
    price_summoned_usd=PLAIN,
    price_with_link_usd=LINKED,
)
RESEARCH = (
    "insert into claim (post_id, position, kind, text, check_worthiness)"
    " values (%(post)s, 0, 'question', 'What became of the GIL?', 0.9)",
    "insert into evidence (post_id, position, claim_id, chunk_id, quote, start_s, speaker, score, verdict)"
    " select %(post)s, 0, l.id, c.id, 'So the GIL keeps reference counts safe in CPython.', 1131.7, 'Seth Larson', 0.6,"
    " 'related' from chunk c, claim l where l.post_id = %(post)s",
    "alter table post disable trigger post_move_guard",
    "update post set stage = 'response', step = 'decide' where id = %(post)s",
    "alter table post enable trigger post_move_guard",
)


@dataclass
class Newsroom:
    """One post with evidence, and what becomes of it."""

    owner: Database
    bench: Workbench
    approver: Actor
    post_id: int

    def work(self, *steps: Any) -> dict[str, int]:
        outcomes: dict[str, int] = {}
        for step in steps or ("decide", "draft", "check"):
            outcomes = run_step(self.bench, step, stop=StopSignal()).outcomes
        return outcomes

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]

    def draft(self) -> str:
        return str(self.rows("select text from draft order by version desc limit 1")[0]["text"])

    def case(self) -> Any:
        with self.bench.db.transaction() as tx:
            return load_case(tx, cast(Any, self.post_id))

    def approved(self, text: str) -> int:
        done = approve(
            self.bench.db,
            self.approver,
            self.post_id,
            version=self.case().version,
            text=text,  # type: ignore[arg-type]
        )
        return int(done.publication_id)

    def counts(self, *publication_ids: int) -> dict[int, Any]:
        with self.bench.db.transaction() as tx:
            return conversions_of(tx, publication_ids)


Open = Callable[..., Newsroom]


@pytest.fixture
def newsroom(addresses: Addresses, db: Database, owner_db: Database, tmp_path: Path) -> Open:
    """Makes the newsroom, with a policy of the channel and a platform."""

    def make(
        platform: Any = "x",
        *,
        url: str | None = "https://example.com/514",
        base: str | None = None,
        is_sandbox: bool = True,
        **policy: Any,
    ) -> Newsroom:
        with owner_db.transaction() as tx:
            ensure_prompts(tx)
            project = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
            index_id = tx.value("ensure_embedding_index", model="test::none", dim=8)
            tx.connection.execute(
                "insert into source (project_id, name, title, url, format, content_hash)"
                " values (%s, 's', 'Language Summit', %s, 'vtt', 'h')",
                (project, url),
            )
            tx.connection.execute(
                "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
                " select id, 0, 'h', 'So the GIL keeps reference counts safe in CPython.', 9, 9 from source"
            )
            channel = save_channel(
                tx,
                project_id=project,
                name="rehearsal",
                platform=platform,
                account="pythonpod",
                base_url=None,
                is_sandbox=is_sandbox,
                policy=replace(POLICY, **policy),
            )
            heard = Post(
                platform, "t3_1001", "What became of the GIL?", NOW, author="asker", mentions=("pythonpod",)
            )
            insert_post(tx, channel, heard, is_summoned=True, priority=1)
            post_id = int(tx.connection.execute("select id from post").fetchone()["id"])  # type: ignore[index]
            for statement in RESEARCH:
                tx.connection.execute(statement, {"post": post_id})
        people.add_person(
            db, machine_owner(), "ann", "Ann", "admin", "correct horse battery"
        )  # pragma: allowlist secret
        (ann,) = people.list_people(db)
        settings = Settings(home=tmp_path, public_url=base)
        bench = Workbench(settings, Tuning(), addresses, db, cast(Any, None), index_id, project)
        return Newsroom(owner_db, bench, Actor(ann.id, ann.name, ann.role), post_id)

    return make


def test_on_x_the_reply_is_drafted_without_and_the_reviewer_sees_both_prices(newsroom: Open) -> None:
    room = newsroom()
    assert room.work() == {"passed": 1}
    assert "https://" not in room.draft() and "18:51" in room.draft()
    (decided,) = room.rows(
        "select is_link_proposed, link_reason, price_usd, price_with_link_usd from decision"
    )
    assert list(decided.values()) == [
        False, "a link costs 0.19 USD more, 0.2 instead of 0.01", Decimal("0.01"), Decimal("0.2"),
    ]  # fmt: skip
    case = room.case()
    assert (case.price_usd, case.link.address, case.link.proposal.is_proposed) == (PLAIN, DIRECT, False)
    assert (case.link.now.price_usd, case.link.now.price_with_link_usd) == (PLAIN, LINKED)
    told = "\n".join(case_lines(case))
    assert (
        f"0.010 USD without a link, 0.200 USD with {DIRECT}; drafted without one: a link costs 0.19" in told
    )


def test_the_link_that_a_reviewer_puts_in_is_sent_as_it_stands(newsroom: Open) -> None:
    room = newsroom()
    room.work()
    case = room.case()
    text = with_link(case.draft.text, "x", case.link.cited, case.link.address)
    publication_id = room.approved(text)
    (part,) = room.rows("select text from publication_part")
    assert part["text"] == text == f"{case.draft.text} {DIRECT}"
    assert room.counts(publication_id) == {publication_id: (0, 0, 0.0)}
    assert room.rows("select * from tracked_link") == []


@pytest.mark.parametrize(("worth", "is_linked"), [(0.1, False), (0.2, True)])
def test_where_a_link_is_worth_its_price_it_is_drafted(newsroom: Open, worth: float, is_linked: bool) -> None:
    room = newsroom(links="when_worth", link_worth_usd=worth)
    assert room.work() == {"passed": 1}
    assert (DIRECT in room.draft()) == is_linked
    assert room.case().price_usd == (LINKED if is_linked else PLAIN)


def test_on_reddit_it_costs_nothing_and_stands_on_the_sources_name(newsroom: Open) -> None:
    room = newsroom("reddit", price_per_create_usd=0.0, price_summoned_usd=0.0, price_with_link_usd=0.0)
    assert room.work() == {"passed": 1}
    assert f"]({DIRECT})" in room.draft()


@pytest.mark.parametrize("url", [None, "https://pod.example/feed?token=abc", "http://localhost:8000/1"])
def test_a_source_that_not_everybody_can_open_is_cited_by_title_and_time(
    newsroom: Open, url: str | None
) -> None:
    room = newsroom(url=url, links="always")
    assert room.work() == {"passed": 1}
    assert "http" not in room.draft() and "Language Summit, 18:51" in room.draft()
    assert room.case().link.address is None
    assert "No link: the source has no address" in "\n".join(case_lines(room.case()))


def test_a_policy_that_forbids_links_meanwhile_counts(newsroom: Open) -> None:
    room = newsroom(links="always")
    room.work("decide")
    room.rows("update channel set policy = jsonb_set(policy, '{allow_links}', 'false') returning id")
    room.work("draft", "check")
    assert "https://" not in room.draft()


def tracked(newsroom: Open, **policy: Any) -> tuple[Newsroom, str]:
    room = newsroom(base=OWN, tracked_links=True, **{"links": "always", **policy})
    assert room.work() == {"passed": 1}
    (link,) = room.rows("select code, address, target from tracked_link")
    assert link["target"] == DIRECT and link["address"] == f"{OWN}/l/{link['code']}"
    return room, link["address"]


def test_a_tracked_link_is_in_the_draft_and_leads_to_the_second(newsroom: Open) -> None:
    room, address = tracked(newsroom)
    assert room.draft().endswith(f" {address}") and room.case().link.address == address
    with room.bench.db.transaction() as tx:
        assert follow(tx, address[-12:], None, NOW.date()) == DIRECT


def test_another_draft_of_the_post_keeps_its_address(newsroom: Open) -> None:
    room, address = tracked(newsroom)
    room.rows("update post set stage = 'response', step = 'decide' where id > 0 returning id")
    assert room.work() == {"passed": 1}
    assert room.draft().endswith(f" {address}") and len(room.rows("select id from tracked_link")) == 1


@pytest.mark.parametrize("is_drafted_anew", [False, True])
def test_the_reviewers_switch_is_for_the_link_that_the_draft_has(
    newsroom: Open, is_drafted_anew: bool
) -> None:
    room, address = tracked(newsroom)
    room.rows("update channel set policy = jsonb_set(policy, '{tracked_links}', 'false') returning id")
    if is_drafted_anew:
        room.rows("update post set stage = 'response', step = 'decide' where id > 0 returning id")
        assert room.work() == {"passed": 1}
    shown = room.case().link.address
    assert shown == (DIRECT if is_drafted_anew else address) and room.draft().endswith(f" {shown}")


def test_without_a_public_address_any_more_another_draft_goes_straight(newsroom: Open) -> None:
    room, address = tracked(newsroom)
    room.bench = replace(room.bench, settings=room.bench.settings.model_copy(update={"public_url": None}))
    room.rows("update post set stage = 'response', step = 'decide' where id > 0 returning id")
    assert room.work() == {"passed": 1}
    assert address not in room.draft() and room.draft().endswith(f" {room.case().link.address}")


def test_a_player_of_ones_own_opens_as_it_was_told_and_a_draft_keeps_its_address(newsroom: Open) -> None:
    room, told = newsroom(links="always"), "https://example.com/514?at=1131s"
    links = Links(players={"example.com": "{url}?at={seconds}s"})
    room.bench = replace(room.bench, tuning=Tuning(links=links))
    assert room.work() == {"passed": 1}
    assert room.draft().endswith(f" {told}") and DIRECT not in room.draft()
    # The page that shows it knows nothing of players.
    case = room.case()
    assert case.link.address == told
    text = without_link(room.draft(), case.link.cited, told)
    assert with_link(text, "x", case.link.cited, case.link.address) == room.draft()


def test_where_no_link_was_proposed_the_reviewer_may_still_put_in_one_that_counts(newsroom: Open) -> None:
    room, address = tracked(newsroom, links="when_free")
    assert address not in room.draft() and room.case().link.address == address


def test_without_a_public_address_the_link_goes_straight(newsroom: Open) -> None:
    room = newsroom(tracked_links=True, links="always")
    room.work()
    assert DIRECT in room.draft() and room.rows("select id from tracked_link") == []


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_an_address_that_nobody_else_can_reach_stands_in_rehearsals_alone(
    newsroom: Open, is_sandbox: bool
) -> None:
    room = newsroom(base="http://127.0.0.1:8700", tracked_links=True, links="always", is_sandbox=is_sandbox)
    assert room.work() == {"passed": 1}
    assert ("127.0.0.1" in room.draft()) == is_sandbox and (DIRECT in room.draft()) != is_sandbox


def test_visits_and_conversions_count_for_the_reply_that_has_the_link(newsroom: Open) -> None:
    room, address = tracked(newsroom)
    publication_id = room.approved(room.draft())
    day = date(2026, 11, 22)
    with room.bench.db.transaction() as tx:
        for visit in (Visit("t.co", False), Visit("t.co", False), Visit("", False), Visit("", True), None):
            follow(tx, address[-12:], visit, day)
        for number, value in (("1", "12.50"), ("2", "0")):
            told = Conversion(number, address, "order", Decimal(value), NOW)
            assert save_conversion(tx, room.bench.project_id, told) == "recorded"
            assert save_conversion(tx, room.bench.project_id, told) == "known"
        with pytest.raises(ConfigInvalid, match="No link of this project"):
            save_conversion(tx, room.bench.project_id + 1, told)
    assert room.counts(publication_id, 999) == {publication_id: (3, 2, 12.5), 999: (0, 0, 0.0)}


def test_a_reply_whose_link_was_taken_out_brought_nothing(newsroom: Open) -> None:
    room, address = tracked(newsroom)
    publication_id = room.approved(room.draft().removesuffix(f" {address}"))
    with room.bench.db.transaction() as tx:
        follow(tx, address[-12:], Visit("", False), NOW.date())
    assert room.counts(publication_id)[publication_id] == (0, 0, 0.0)


@pytest.mark.parametrize("is_sent", [True, False])
def test_after_a_purge_only_links_that_readers_have_go_on(newsroom: Open, is_sent: bool) -> None:
    room, address = tracked(newsroom)
    if is_sent:
        publication_id = room.approved(room.draft())
        room.rows("update publication set first_sending_at = now() returning id")
    with room.bench.db.transaction() as tx:
        assert purge_posts(tx, [room.post_id], NOW) == 1
        led = follow(tx, address[-12:], Visit("t.co", False), NOW.date())
    assert led == (DIRECT if is_sent else None)
    if is_sent:
        assert room.counts(publication_id)[publication_id].visits == 1
