"""What `rejoinder review` does with approved replies: take back, hand off, settle."""

from typing import Annotated, Literal

import typer

from cli.context import deciding
from cli.output import As, AsJson, Note, answer

Outcome = Literal["sent", "abandoned", "queued"]
PublicationNumber = Annotated[
    int, typer.Argument(metavar="PUBLICATION_ID", help="Number of the publication, as in `review show`.")
]


def add_replies(review: typer.Typer) -> None:
    """Add these commands to the sub-app."""
    review.command("take-back")(take_back)
    review.command("handoff-done")(handoff_done)
    review.command("handoff-drop")(handoff_drop)
    review.command("settle")(settle)
    review.command("finish-by-hand")(finish_by_hand)


def take_back(publication_id: PublicationNumber, who: As = None, as_json: AsJson = False) -> None:
    """Take an approval back before anything was sent."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import take_back as take_publication_back

        take_publication_back(database, actor, publication_id)
    answer(
        {"publication_id": publication_id},
        as_json,
        f"Publication {publication_id} is cancelled; its post waits.",
    )


def handoff_done(
    publication_id: PublicationNumber,
    urls: Annotated[
        list[str],
        typer.Argument(
            metavar="URL...",
            help="Address or id of the reply that you posted; of a thread those of all its parts, in their order. "
            "Of parts after the first it may be left out, or be ''; then nobody counts their likes.",
        ),
    ],
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Record that you have posted a handed-off reply.

    Example: rejoinder review handoff-done 12 https://x.com/NAME/status/123
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import record_handoff

        platform_id = record_handoff(database, actor, publication_id, *urls)
    value: dict[str, object] = {"publication_id": publication_id, "platform_id": platform_id}
    answer(value, as_json, f"Publication {publication_id} is sent, as {platform_id}.")


def finish_by_hand(publication_id: PublicationNumber, who: As = None, as_json: AsJson = False) -> None:
    """Take what is left of a thread whose later part was refused as a hand-off."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import finish_by_hand as finish_publication

        finish_publication(database, actor, publication_id)
    said = f"Post what is left of publication {publication_id} by hand, then `review handoff-done` or `handoff-drop`."
    answer({"publication_id": publication_id}, as_json, said)


def handoff_drop(
    publication_id: PublicationNumber, note: Note = "", who: As = None, as_json: AsJson = False
) -> None:
    """Record that nobody will post a handed-off reply."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import abandon_handoff

        abandon_handoff(database, actor, publication_id, note)
    answer({"publication_id": publication_id}, as_json, f"Publication {publication_id} is given up.")


def settle(
    publication_id: PublicationNumber,
    outcome: Annotated[Outcome, typer.Argument(help="What you found.")],
    url: Annotated[str | None, typer.Option(help="Address or id of the reply, for sent.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="For queued: you have looked, and the reply is not there.")
    ] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a reply whose outcome was not seen."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import settle_unknown

        settle_unknown(database, actor, publication_id, outcome, url, confirm=confirm)
    value: dict[str, object] = {"publication_id": publication_id, "state": outcome}
    answer(value, as_json, f"Publication {publication_id} is {outcome}.")
