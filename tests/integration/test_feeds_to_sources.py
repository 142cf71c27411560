"""A feed on a local server becomes sources: the best transcript of each item, chapters, looked at again when due."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from resources.commands.actors import machine_owner
from resources.commands.sources import again, follow_feed
from resources.due import sources_due
from resources.inbox import ingest_paths
from resources.ingesting import IngestReport
from resources.objects import BytesLost, ObjectStore
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.source_list import list_feeds
from resources.tuning import Tuning
from resources.workbench import Workbench

ITEM = """<item><title>{title}</title><guid isPermaLink="false">{guid}</guid><link>https://pod.example/{guid}</link>
<pubDate>Tue, 03 Nov 2026 09:00:00 GMT</pubDate>{extra}</item>"""
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>The warm house</title>
<language>en</language>{items}</channel></rss>"""
WORDS = (
    "Heat pumps work well below zero, and the bill is lower than with gas in every house that we measured."
)


@dataclass
class Host:
    """A server of one podcast; it keeps what it was asked for."""

    port: int = 0
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, body: str, media_type: str = "text/plain") -> str:
        self.pages[path] = (media_type, body.encode())
        return f"http://127.0.0.1:{self.port}{path}"

    def feed(self, *items: str, media_type: str = "application/rss+xml") -> str:
        return self.put("/feed", FEED.format(items="".join(items)), media_type)

    def item(self, guid: str, *kinds: str, extra: str = "", at: str = "") -> str:
        """An item with a transcript per kind; what it says names the kind."""
        tags = ""
        for kind in kinds:
            body = f"WEBVTT\n\n00:01.000 --> 00:09.000\n<v Ada>{WORDS} This is {guid} as {kind}{at}.\n"
            body = body if kind == "text/vtt" else f"0:01 Ada: {WORDS} This is {guid} as {kind}{at}.\n"
            url = self.put(f"/{guid}{at}-{kind.replace('/', '-')}", body, kind)
            tags += f'<podcast:transcript url="{url}" type="{kind}"/>'
        return ITEM.format(title=f"Episode {guid}", guid=guid, extra=tags + extra)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            made.asked.append(path)
            media_type, body = made.pages.get(path, ("text/plain", b""))
            tag = f'"{hash(body)}"'
            is_known = self.headers.get("If-None-Match") == tag
            self.send_response(404 if path not in made.pages else 304 if is_known else 200)
            self.send_header("Content-Type", media_type)
            self.send_header("ETag", tag)
            self.end_headers()
            if not is_known:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        made.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        httpd.shutdown()
        thread.join()


@dataclass
class Corpus:
    """A workbench that may fetch from this machine."""

    bench: Workbench
    owner: Database

    def ingest(self, *urls: str) -> IngestReport:
        return ingest_paths(self.bench, urls=urls)

    def poll(self) -> IngestReport:
        """What the schedule does."""
        return ingest_paths(self.bench)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def do(self, statement: str) -> None:
        with self.owner.transaction() as tx:
            tx.connection.execute(statement)  # type: ignore[call-overload]

    def make_due(self) -> None:
        self.do("update feed set next_at = now() - interval '1 s'")


@pytest.fixture
def corpus(addresses: Addresses, db: Database, owner_db: Database, tmp_path: Path) -> Corpus:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        row = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
    assert row
    settings = Settings(home=tmp_path, fetch_allow=("127.0.0.0/8",))
    return Corpus(Workbench(settings, Tuning(), addresses, db, cast(Any, None), 0, row["id"]), owner_db)


def test_a_feed_becomes_sources_with_the_best_transcript(host: Host, corpus: Corpus) -> None:
    chapters = host.put(
        "/chapters",
        '{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Hello"}, {"startTime": 5, "title": "Gas"}]}',
        "application/json+chapters",
    )
    url = host.feed(
        host.item(
            "one",
            "text/plain",
            "text/vtt",
            extra=f'<podcast:chapters url="{chapters}" type="application/json"/>',
        ),
        host.item("two", "text/plain", "text/html"),
        host.item("silent"),
    )
    report = corpus.ingest(url)
    assert len(report.new) == 2 and report.feeds == [url], report
    sources = {s["title"]: s for s in corpus.rows("select * from source")}
    one = sources["Episode one"]
    assert (one["url"], one["format"], one["language"]) == ("https://pod.example/one", "webvtt", "en")
    assert one["published_at"].isoformat() == "2026-11-03T09:00:00+00:00"
    assert corpus.rows("select title, start_s from chapter order by position") == [
        {"title": "Hello", "start_s": 0.0},
        {"title": "Gas", "start_s": 5.0},
    ]
    assert "as text/vtt" in corpus.rows("select text from cue where text like '%%one as%%'")[0]["text"]
    with corpus.bench.db.transaction() as tx:
        (feed,) = list_feeds(tx, corpus.bench.project_id)
    assert (feed.title, feed.n_items, feed.n_without_transcript) == ("The warm house", 3, 1)


@pytest.mark.parametrize("media_type", ["text/html", "image/png", "application/json"])
def test_a_feed_that_lies_about_its_type(host: Host, corpus: Corpus, media_type: str) -> None:
    report = corpus.ingest(host.feed(host.item("one", "text/vtt"), media_type=media_type))
    assert len(report.new) == 1 and len(report.feeds) == 1


def test_a_page_that_says_it_is_a_feed(host: Host, corpus: Corpus) -> None:
    page = "".join(f"<p>{WORDS} Paragraph {n}.</p>" for n in range(8))
    url = host.put(
        "/page",
        f"<html><title>Heat</title><body><article>{page}</article></body></html>",
        "application/rss+xml",
    )
    report = corpus.ingest(url)
    assert report.new == [url] and report.feeds == []


def test_a_feed_is_looked_at_again_when_due_and_only_what_is_new_is_fetched(
    host: Host, corpus: Corpus
) -> None:
    corpus.ingest(host.feed(host.item("one", "text/vtt")))
    assert sources_due(corpus.bench.db) == 1, "the source waits to be cut"
    corpus.do("update source set step = 'ready', status = 'completed'")
    assert (sources_due(corpus.bench.db), corpus.poll().files) == (0, 0)
    corpus.make_due()
    assert sources_due(corpus.bench.db) == 1
    host.asked.clear()
    assert corpus.poll().feeds and host.asked == ["/feed"]
    host.feed(host.item("two", "text/vtt"), host.item("one", "text/vtt"))
    corpus.make_due()
    host.asked.clear()
    assert len(corpus.poll().new) == 1
    assert host.asked == ["/feed", "/two-text-vtt"]


def test_a_transcript_at_another_address_is_read_anew(host: Host, corpus: Corpus) -> None:
    corpus.ingest(host.feed(host.item("one", "text/vtt")))
    host.feed(host.item("one", "text/vtt", at="-v2"))
    corpus.make_due()
    assert len(corpus.poll().changed) == 1
    assert len(corpus.rows("select 1 from source")) == 1


def test_an_address_that_is_only_signed_anew_is_not_fetched_again(host: Host, corpus: Corpus) -> None:
    item = host.item("one", "text/vtt")
    corpus.ingest(host.feed(item.replace('-text-vtt"', '-text-vtt?token=1"')))
    host.feed(item.replace('-text-vtt"', '-text-vtt?token=2"'))
    corpus.make_due()
    host.asked.clear()
    corpus.poll()
    assert host.asked == ["/feed"]
    (row,) = corpus.rows("select url from ingestion where origin = 'feed'")
    assert row["url"].endswith("token=2")


def test_one_broken_item_does_not_keep_the_others(host: Host, corpus: Corpus) -> None:
    broken = host.item(
        "bad", "text/vtt", extra='<podcast:chapters url="http://127.0.0.1:1/none" type="application/json"/>'
    )
    gone = host.item("gone", "text/vtt")
    del host.pages["/gone-text-vtt"]
    report = corpus.ingest(host.feed(gone, broken, host.item("good", "text/vtt")))
    assert len(report.new) == 2 and len(report.quarantined) == 1
    assert "404" in next(iter(report.quarantined.values()))
    (row,) = corpus.rows("select note from ingestion where name like '%%#bad'")
    assert row["note"].startswith("without chapters")


def test_a_feed_that_turns_into_a_page_is_told_and_stays_followed(host: Host, corpus: Corpus) -> None:
    url = host.feed(host.item("one", "text/vtt"))
    corpus.ingest(url)
    host.put("/feed", "<html><body>We moved.</body></html>", "text/html")
    corpus.make_due()
    assert "web page" in corpus.poll().quarantined[url]
    with corpus.bench.db.transaction() as tx:
        (feed,) = list_feeds(tx, corpus.bench.project_id)
    assert feed.is_followed and "web page" in (feed.last_error or "")
    host.feed(host.item("one", "text/vtt"), host.item("two", "text/vtt"))
    corpus.make_due()
    assert len(corpus.poll().new) == 1


def test_a_feed_that_names_itself_as_a_transcript_is_read_once(host: Host, corpus: Corpus) -> None:
    url = host.feed()
    loops = [
        ITEM.format(title=guid, guid=guid, extra=f'<podcast:transcript url="{url}?{guid}" type="text/vtt"/>')
        for guid in ("1", "2", "3")
    ]
    host.feed(*loops)
    report = corpus.ingest(url)
    assert report.feeds == [url] and len(report.quarantined) == 3
    assert all("a feed" in reason for reason in report.quarantined.values())
    assert host.asked == ["/feed"] * 4 and len(corpus.rows("select 1 from feed")) == 1


def test_a_feed_that_is_no_longer_followed_rests(host: Host, corpus: Corpus) -> None:
    url = host.feed(host.item("one", "text/vtt"))
    corpus.ingest(url)
    follow_feed(corpus.bench.db, machine_owner(), corpus.bench.project_id, url, is_followed=False)
    corpus.make_due()
    host.asked.clear()
    corpus.poll()
    assert host.asked == []
    follow_feed(corpus.bench.db, machine_owner(), corpus.bench.project_id, url, is_followed=True)
    corpus.poll()
    assert host.asked == ["/feed"]


def test_a_private_feed_keeps_its_key_to_itself(host: Host, corpus: Corpus) -> None:
    url = host.feed(host.item("one", "text/vtt")) + "?token=s3cret"
    report = corpus.ingest(url)
    assert len(report.new) == 1
    shown = str(report) + str(corpus.rows("select name, note, last_error from ingestion"))
    shown += str(corpus.rows("select url, name from source")) + str(
        corpus.rows("select diff from audit_event")
    )
    assert "s3cret" not in shown
    corpus.make_due()
    host.asked.clear()
    corpus.poll()
    assert host.asked == ["/feed"]


def test_private_addresses_are_set_aside_unless_they_are_allowed(host: Host, corpus: Corpus) -> None:
    corpus.bench = replace(corpus.bench, settings=Settings(home=corpus.bench.settings.home))
    url = host.put("/a.vtt", "WEBVTT")
    assert "private address" in corpus.ingest(url).quarantined[url]
    assert host.asked == []


def test_the_next_best_transcript_is_read_where_the_best_is_refused(host: Host, corpus: Corpus) -> None:
    gone, garbled = (
        host.item("gone", "text/vtt", "text/plain"), host.item("garbled", "text/vtt", "text/plain"),
    )  # fmt: skip
    none = host.item("none", "text/vtt", "text/plain")
    for path in ("/gone-text-vtt", "/none-text-vtt", "/none-text-plain"):
        del host.pages[path]
    host.pages["/garbled-text-vtt"] = ("text/vtt", bytes(range(256)) * 40)
    report = corpus.ingest(host.feed(gone, garbled, none))
    assert len(report.new) == 2 and len(report.quarantined) == 1
    rows = {r["name"][-4:]: r for r in corpus.rows("select name, note, url from ingestion where feed_id > 0")}
    assert "passed over" in rows["gone"]["note"] and "answered 404" in rows["gone"]["note"]
    assert rows["gone"]["url"].endswith("text-plain") and "passed over" in rows["bled"]["note"]
    assert rows["none"]["note"].count("404") == 2
    corpus.make_due()
    host.put("/feed", host.pages["/feed"][1].decode() + " ")
    host.asked.clear()
    corpus.poll()
    assert host.asked == ["/feed"], "what was refused is not tried again at every look"


def test_a_look_takes_in_so_many_items_and_the_next_goes_on(host: Host, corpus: Corpus) -> None:
    few = Tuning.model_validate({"ingestion": {"feed_items": 2}})
    corpus.bench = replace(corpus.bench, tuning=few)
    url = host.feed(*(host.item(str(n), "text/vtt") for n in range(5)))
    left = []
    assert len(corpus.ingest(url).new) == 2
    for n_new in (2, 1, 0):
        with corpus.bench.db.transaction() as tx:
            left.append(list_feeds(tx, corpus.bench.project_id)[0].n_left)
        (row,) = corpus.rows("select note from ingestion where feed_id is null")
        assert (f"{left[-1]} more left for the next look" in row["note"]) == (left[-1] > 0)
        corpus.make_due()
        assert len(corpus.poll().new) == n_new
    assert left == [3, 1, 0]


def test_a_feed_larger_than_configured_is_refused(host: Host, corpus: Corpus) -> None:
    small = Tuning.model_validate({"ingestion": {"largest_feed_mib": 1}})
    corpus.bench = replace(corpus.bench, tuning=small)
    url = host.feed(host.item("one", "text/vtt"), "<!--" + "x" * 2**20 + "-->")
    assert "a feed larger than 1 MiB" in corpus.ingest(url).quarantined[url]


def test_an_address_that_stands_for_a_title_or_a_guid_shows_no_key(host: Host, corpus: Corpus) -> None:
    item = host.item("one", "text/vtt").replace("<title>Episode one</title>", "")
    item = item.replace(">one</guid>", ">HTTPS://ann:s3cret@pod.example/1?token=s3cret</guid>")
    report = corpus.ingest(host.feed(item))
    assert len(report.new) == 1
    shown = corpus.rows("select name, title, note from ingestion union select name, title, url from source")
    assert "s3cret" not in str(report) + str(shown) and "pod.example/1" in str(shown)


def test_items_that_change_at_every_look_do_not_keep_new_ones_out(host: Host, corpus: Corpus) -> None:
    few = Tuning.model_validate({"ingestion": {"feed_items": 2}})
    corpus.bench = replace(corpus.bench, tuning=few)

    def look(n_items: int, at: str) -> list[str]:
        host.feed(*(host.item(str(n), "text/vtt", at=at) for n in range(n_items)))
        corpus.make_due()
        host.asked.clear()
        corpus.poll()
        return sorted(page.removesuffix("-text-vtt") for page in host.asked if page != "/feed")

    corpus.ingest(host.feed(host.item("0", "text/vtt"), host.item("1", "text/vtt")))
    assert look(3, "-v2") == ["/0-v2", "/2-v2"]
    assert look(3, "-v3") == ["/0-v3", "/1-v3"], "the one that was left the last time is among them"
    assert look(5, "-v4") == ["/3-v4", "/4-v4"], "new ones first"


def test_an_item_that_is_fetched_again_is_what_its_first_link_says(host: Host, corpus: Corpus) -> None:
    english, german = host.item("one", "text/vtt"), host.item("one", "text/plain")
    link = german[german.index("<podcast") : german.index("</item>")].replace("/>", ' language="de"/>')
    url = host.feed(english.replace("</item>", link + "</item>"))
    good = host.pages.pop("/one-text-vtt")
    corpus.ingest(url)
    (row,) = corpus.rows("select name, language, media_type from ingestion where origin = 'feed'")
    assert (row["language"], row["media_type"]) == ("de", "text/plain")
    host.pages["/one-text-vtt"] = good
    again(corpus.bench.db, machine_owner(), corpus.bench.project_id, row["name"], "fetch")
    (row,) = corpus.rows("select url, language, media_type from ingestion where origin = 'feed'")
    assert (row["language"], row["media_type"]) == ("en", "text/vtt") and row["url"].endswith("text-vtt")
    assert corpus.poll().changed
    assert corpus.rows("select language, format from source") == [{"language": "en", "format": "webvtt"}]


@pytest.mark.parametrize("is_served", [True, False])
def test_lost_bytes_are_asked_for_again_before_another_link_is_tried(
    host: Host, corpus: Corpus, is_served: bool
) -> None:
    corpus.ingest(host.feed(host.item("one", "text/vtt", "text/plain")))
    (row,) = corpus.rows("select name, raw_key from ingestion where origin = 'feed'")
    (corpus.bench.settings.home_dir / "objects" / row["raw_key"]).write_bytes(b"damaged")
    if not is_served:
        del host.pages["/one-text-vtt"]
    again(corpus.bench.db, machine_owner(), corpus.bench.project_id, row["name"], "extract")
    host.asked.clear()
    assert corpus.poll().changed == [row["name"]]
    assert host.asked == ["/one-text-vtt"] + ["/one-text-plain"] * (not is_served)
    (row,) = corpus.rows("select note, url from ingestion where origin = 'feed'")
    assert "fetched anew" in row["note"] and row["url"].endswith("vtt" if is_served else "plain")


def test_bytes_that_are_lost_again_and_again_are_set_aside(
    host: Host, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> bytes:
        raise BytesLost("its raw bytes are gone from the object store: give it again")

    monkeypatch.setattr(ObjectStore, "get", lost)
    url = host.put("/a.vtt", f"WEBVTT\n\n00:01.000 --> 00:09.000\n{WORDS}\n")
    assert "give it again" in corpus.ingest(url).quarantined[url]
    assert host.asked == ["/a.vtt"] * 2
