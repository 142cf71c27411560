"""`rejoinder review`: read the queue and decide, for people who live in a terminal."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, Note, answer, print_json, print_table, reporting, say, shortened
from cli.replies import add_replies
from cli.schedule import At, InBestHour, InSlot, Zone, told, wanted_schedule
from cli.threads import Parts, add_preview
from rejoinder.listening.post import Platform
from rejoinder.review.decisions import RejectReason
from rejoinder.review.moves import Stage, Status

if TYPE_CHECKING:
    from resources.postgres import Database

AnyStage = Literal[Stage, "all"]
AnyStatus = Literal[Status, "all"]
Order = Literal["priority", "relevance", "newest", "oldest"]
review = typer.Typer(no_args_is_help=True, help="Read drafts with their evidence and decide about them.")

PostNumber = Annotated[
    int, typer.Argument(metavar="POST_ID", help="Number of the post, as in `review list`.")
]
Seen = Annotated[
    int | None,
    typer.Option("--version", help="The version you have read: refused if somebody decided since."),
]
Words = Annotated[str | None, typer.Option("--text", help="The reply in your own words, as it will be sent.")]
WordsFile = Annotated[
    Path | None,
    typer.Option("--text-file", exists=True, dir_okay=False, help="The same, out of a UTF-8 file."),
]


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    add_replies(review)
    add_preview(review)
    app.add_typer(review, name="review")


@review.command("list")
def list_posts(
    stage: Annotated[AnyStage, typer.Option(help="Where the posts stand.")] = "review",
    status: Annotated[AnyStatus, typer.Option(help="And in which status.")] = "pending",
    platform: Annotated[Platform | None, typer.Option(help="One platform only.")] = None,
    channel: Annotated[str | None, typer.Option(help="Name of a channel.")] = None,
    search: Annotated[str | None, typer.Option(help="Words in the post, its author or the draft.")] = None,
    order: Annotated[Order, typer.Option(help="What comes first.")] = "priority",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many.")] = 0,
    as_json: AsJson = False,
) -> None:
    """List the posts that wait for a decision, the most urgent first."""
    with reporting(as_json), open_database() as database, database.transaction() as tx:
        from resources.store.review_values import QueueFilter
        from resources.store.reviews import review_queue

        wanted = QueueFilter(
            stage=None if stage == "all" else stage,
            status=None if status == "all" else status,
            platform=platform,
            channel=channel,
            search=search,
            order=order,
            limit=limit,
            offset=offset,
        )
        page = review_queue(tx, wanted)
    if as_json:
        print_json({"posts": page.rows, "total": page.total})
        return
    rows = (
        (r.id, r.version, r.channel, r.author or "unknown", shortened(r.text), shortened(r.draft_text or ""))
        for r in page.rows
    )
    title = f"{len(page.rows)} of {page.total}; read one with `rejoinder review show POST`"
    print_table(title, ("post", "version", "channel", "author", "text", "draft"), rows)


@review.command()
def show(post_id: PostNumber, as_json: AsJson = False) -> None:
    """Show one post with its evidence, draft, checks, decisions and publications."""
    with reporting(as_json), open_database() as database, database.transaction() as tx:
        from resources.store.reviews import load_case

        case = load_case(tx, post_id)
    if as_json:
        print_json(case)
        return
    from cli.case_text import case_lines

    for line in case_lines(case):
        say(line)


def _seen_or_current(database: "Database", post_id: int, version: int | None) -> int:
    """The version that the person names, else the one of this moment."""
    from resources.store.reviews import load_case

    if version is not None:
        return version
    with database.transaction() as tx:
        return load_case(tx, post_id).version


def _words(text: str | None, file: Path | None, parts: list[str] | None = None) -> str | None:
    from rejoinder.errors import DecisionInvalid

    if (text is not None) + (file is not None) + bool(parts) > 1:
        raise DecisionInvalid("give the words once: --text, --text-file, or --part for each part")
    try:
        return file.read_text("utf-8") if file else text
    except UnicodeDecodeError:
        raise DecisionInvalid(f"{file} is not UTF-8: save it as UTF-8") from None


@review.command()
def approve(
    post_id: PostNumber,
    text: Words = None,
    text_file: WordsFile = None,
    part: Parts = None,
    version: Seen = None,
    note: Note = "",
    at: At = None,
    zone: Zone = None,
    slot: InSlot = False,
    best_hour: InBestHour = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Approve the latest draft, or your own words, as the reply: exactly this text goes out."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.review import approve as approve_post
        from resources.store.reviews import load_case

        words = _words(text, text_file, part)
        with database.transaction() as tx:
            case = load_case(tx, post_id)
        draft = case.draft.text if case.draft else ""
        done = approve_post(
            database,
            actor,
            post_id,
            version=case.version if version is None else version,
            text=None if part else draft if words is None else words,
            texts=part or None,
            note=note or None,
            schedule=wanted_schedule(case.channel.policy.zone, at, zone, slot=slot, best_hour=best_hour),
        )
    way = (
        told(done.schedule)
        if done.way == "api"
        else f"Post it by hand: `rejoinder review show {post_id}` has the link; then `review handoff-done`."
    )
    if as_json:
        print_json(asdict(done) | {"text": done.text})
    else:
        say(f"Approved as publication {done.publication_id}, word for word:\n\n{done.text}\n\n{way}")


@review.command()
def edit(
    post_id: PostNumber,
    text: Words = None,
    text_file: WordsFile = None,
    version: Seen = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Save your own words as the next version of the draft, without deciding."""
    with deciding(who, as_json) as (database, actor):
        from rejoinder.errors import DecisionInvalid
        from resources.commands.review import edit_draft

        words = _words(text, text_file)
        if words is None:
            raise DecisionInvalid("give the words with --text or --text-file")
        seen = _seen_or_current(database, post_id, version)
        draft_id = edit_draft(database, actor, post_id, version=seen, text=words)
    answer({"draft_id": draft_id}, as_json, f"Saved as draft {draft_id}; post {post_id} still waits.")


@review.command()
def reject(
    post_id: PostNumber,
    reason: Annotated[RejectReason, typer.Option("--reason", help="Why not.")],
    note: Note = "",
    version: Seen = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Decide not to answer the post, and say why."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.review import reject as reject_post

        seen = _seen_or_current(database, post_id, version)
        review_id = reject_post(database, actor, post_id, version=seen, reason=reason, note=note)
    answer({"review_id": review_id}, as_json, f"Post {post_id} is rejected; `review reopen` brings it back.")


@review.command("send-back")
def send_back(
    post_id: PostNumber,
    note: Annotated[str, typer.Option("--note", help="What the next draft should do differently.")],
    version: Seen = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Ask for another draft."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.review import send_back as send_post_back

        seen = _seen_or_current(database, post_id, version)
        review_id = send_post_back(database, actor, post_id, version=seen, note=note)
    answer({"review_id": review_id}, as_json, f"Post {post_id} goes back for another draft.")


@review.command()
def reopen(post_id: PostNumber, version: Seen = None, who: As = None, as_json: AsJson = False) -> None:
    """Put a rejected post before the reviewers again."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.review import reopen as reopen_post

        reopen_post(database, actor, post_id, version=_seen_or_current(database, post_id, version))
    answer({"post_id": post_id}, as_json, f"Post {post_id} waits for a decision again.")
