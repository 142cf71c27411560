"""`rejoinder review preview`: a text as the parts that would be sent, with their lengths and the price of all."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, reporting, say

if TYPE_CHECKING:
    from resources.store.review_values import ReviewCase

Parts = Annotated[
    list[str] | None,
    typer.Option("--part", help="One part of a thread, as it will be sent; give it once per part, in order."),
]


def add_preview(review: typer.Typer) -> None:
    """Add the command to the sub-app."""
    review.command("preview")(preview)


def preview(
    post_id: Annotated[int, typer.Argument(metavar="POST_ID", help="Number of the post.")],
    text: Annotated[str | None, typer.Option("--text", help="Your own words instead of the draft's.")] = None,
    split: Annotated[bool, typer.Option("--split", help="Cut what is too long where sentences end.")] = False,
    numbered: Annotated[bool, typer.Option("--numbered", help="And add 1/3 to each part.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the parts that a text has: a line of three dashes stands between two parts of a thread."""
    with reporting(as_json), open_database() as database, database.transaction() as tx:
        from rejoinder.posting.threads import parts_of, propose_parts
        from resources.store.reviews import load_case

        case = load_case(tx, post_id)
        words = text if text is not None else case.draft.text if case.draft else ""
        cut = split or numbered
        parts = (
            propose_parts(words, case.post.platform, is_numbered=numbered)
            if cut
            else parts_of(words, case.post.platform)
        )
        shown = _measured(case, parts)
    if as_json:
        print_json(shown)
        return
    for place, part in enumerate(shown["parts"], 1):
        say(f"Part {place}, {part['length']} of {part['limit']}:\n{part['text']}\n")
    say(f"Price by API: {shown['price_usd']:.3f} USD")


def _measured(case: "ReviewCase", parts: tuple[str, ...]) -> dict[str, Any]:
    from rejoinder.posting.threads import thread_price_usd
    from rejoinder.text.weighted_length import length_limit

    limit, measure = length_limit(case.post.platform)
    price_usd = thread_price_usd(case.channel.policy, parts, is_summoned=case.is_summoned)
    return {
        "parts": [{"text": part, "length": measure(part), "limit": limit} for part in parts],
        "price_usd": price_usd if case.way == "api" else 0.0,
    }
