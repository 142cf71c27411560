"""The demo on the sample data: the loop closes, a second run does nothing twice, bad input is set aside."""

import json
from pathlib import Path
from typing import Any

from resources.postgres import Database
from resources.provision import Addresses, prepare
from resources.settings import Settings

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
SAME = (
    "sources", "chunks", "chunk_embeddings", "keywords", "posts", "claims", "evidence", "drafts", "published",
    "handed_off", "snapshots", "rewards", "posts_by_place",
)  # fmt: skip


def test_the_loop_closes(walked: Any) -> None:
    report = walked.report
    assert report["sources"] == report["sources_ready"] == 3
    assert report["posts_on_sandbox"] > report["posts"] >= report["drafts"] >= 10
    assert report["published"] > 0 and report["published"] == report["published_by_our_tables"]
    assert report["handed_off"] > 0
    assert (report["duplicates"], report["unapproved_published"], report["unknown"]) == (0, 0, 0)
    assert report["snapshots"] == 4 * report["published"] and report["rewards"] == report["published"]
    assert report["model_calls"] > 0 and report["seconds"] > 0
    decided = report["reviews"]
    assert sum(decided.values()) == report["drafts"] and min(decided.values()) > 0


def test_a_second_run_does_nothing_twice(walked: Any) -> None:
    again = walked.installation.json("demo", "--auto-review")
    assert {name: again[name] for name in SAME} == {name: walked.report[name] for name in SAME}
    assert (again["duplicates"], again["unapproved_published"]) == (0, 0)


def test_every_reply_on_x_went_to_somebody_who_called_us(walked: Any) -> None:
    with owner_database(walked.installation.home) as tx:
        rows = tx.connection.execute(
            "select o.is_summoned, p.state from publication p join post o on o.id = p.post_id where o.platform = 'x'"
        ).fetchall()
    assert {r["state"] for r in rows if r["is_summoned"]} <= {"sent"}
    assert {r["state"] for r in rows if not r["is_summoned"]} == {"handoff"}


def test_simulated_decisions_are_marked(walked: Any) -> None:
    with owner_database(walked.installation.home) as tx:
        rows = tx.connection.execute("select is_simulated, count(*) n from review group by 1").fetchall()
    assert [(r["is_simulated"], r["n"]) for r in rows] == [(True, walked.report["drafts"])]


def test_it_stops_at_the_queue_without_a_reviewer(installation: Any) -> None:
    report = installation.json("demo")
    assert report["published"] == 0 and report["posts_by_place"]["review/pending"] == report["drafts"] > 0


def test_a_simulated_reviewer_is_refused_beside_a_real_channel(walked: Any, installation: Any) -> None:
    installation.run("init")
    with owner_database(installation.home) as tx:
        tx.connection.execute(
            "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
            " select id, 'real', 'x', 'somebody', false, %s from project",
            (
                json.dumps(
                    {
                        "name": "x",
                        "reply_mode": "handoff",
                        "may_train": False,
                        "may_profile": False,
                        "retention_s": 1,
                    }
                ),
            ),
        )
    answer = installation.json("demo", "--auto-review", code=2)
    assert "real" in answer["error"] and "--home" in answer["error"]


def test_bad_input_is_set_aside_and_the_rest_finished(installation: Any, tmp_path: Path) -> None:
    episodes, posts = bad_input(tmp_path)
    report = installation.json("demo", "--auto-review", "--transcripts", str(episodes), "--posts", str(posts))
    reasons = {q["name"]: q["reason"] for q in installation.json("status")["quarantine"]}
    assert set(reasons) == {"empty.vtt", "undecodable.txt", "cut.json"}
    assert all(reasons.values())
    assert report["sources"] == 3  # the sample, the five hours, the wrong extension
    assert report["posts"] == len({json.loads(line)["platform_post_id"] for line in readable_lines(posts)})
    assert report["drafts"] > 0
    rejected = rejections(installation.home)
    assert rejected["t3_emoji"] == "only emoji" and rejected["t3_url"] == "only a link"
    assert "t3_rtl" in rejected or "t3_rtl" in answered(installation.home)


def bad_input(folder: Path) -> tuple[Path, Path]:
    """Transcripts and posts with every kind of bad input among good ones."""
    episodes = folder / "episodes"
    episodes.mkdir()
    good = (SAMPLES / "episodes" / "composting-without-the-smell.vtt").read_bytes()
    (episodes / "good.vtt").write_bytes(good)
    (episodes / "wrong-extension.json").write_bytes(
        (SAMPLES / "episodes" / "what-your-home-really-uses.srt").read_bytes()
    )
    (episodes / "empty.vtt").write_bytes(b"")
    (episodes / "undecodable.txt").write_bytes(bytes(range(128, 256)) * 40 + b"\x00\xff\xfe\x00" * 50)
    (episodes / "cut.json").write_bytes(b'{"segments": [{"start": 0.0, "en')
    (episodes / "five-hours.vtt").write_text(five_hours(), "utf-8")
    lines = (SAMPLES / "posts.jsonl").read_text("utf-8").splitlines()
    base = json.loads(next(line for line in lines if '"reddit"' in line))
    odd = {
        "t3_emoji": "🙂🙂🙂",
        "t3_url": "https://example.com/somewhere",
        "t3_rtl": "كيف أمنع رائحة السماد في الصيف؟",
        "t3_long": ("Why does my compost heap smell of rotten eggs? " * 300)[:10_000],
    }
    lines += [json.dumps({**base, "platform_post_id": key, "text": text}) for key, text in odd.items()]
    posts = folder / "posts.jsonl"
    only_reddit = [line for line in lines if json.loads(line)["platform"] == "reddit"]
    posts.write_text("\n".join([*only_reddit, only_reddit[0], "this is no JSON"]), "utf-8")
    return episodes, posts


def readable_lines(posts: Path) -> list[str]:
    return [line for line in posts.read_text("utf-8").splitlines() if line.startswith("{")]


def five_hours() -> str:
    cues = ["WEBVTT\n"]
    for n in range(4500):
        start = n * 4
        cues.append(
            f"{stamp(start)} --> {stamp(start + 4)}\nSentence number {n} speaks of gardens in the long winter.\n"
        )
    return "\n".join(cues)


def stamp(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000"


def owner_database(home: Path) -> Any:
    addresses: Addresses = prepare(Settings(home=home))
    return Database(addresses.owner).open().transaction()


def rejections(home: Path) -> dict[str, str]:
    with owner_database(home) as tx:
        rows = tx.connection.execute(
            "select platform_post_id k, rejection_reason r from post where status = 'rejected'"
        ).fetchall()
    return {r["k"]: r["r"] for r in rows}


def answered(home: Path) -> set[str]:
    with owner_database(home) as tx:
        rows = tx.connection.execute(
            "select platform_post_id k from post where status <> 'rejected'"
        ).fetchall()
    return {r["k"] for r in rows}
