"""`rejoinder rewards` and `rejoinder answers`: what replies were worth, by what, and what people answered to ours."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting

if TYPE_CHECKING:
    from resources.store.rewards import RewardAtAge

Creator = Annotated[str | None, typer.Option(help="Name of the creator; not needed where there is one.")]
Kind = Literal["question", "summons", "remark", "stop"]


def register(app: typer.Typer) -> None:
    """Add the groups of commands to the root."""
    rewards = typer.Typer(help="What replies were worth, and how that is weighed.", no_args_is_help=True)
    rewards.command("list")(list_rewards)
    rewards.command("show")(show)
    rewards.command("set")(set_)
    app.add_typer(rewards, name="rewards")
    answers = typer.Typer(help="What people answered to our replies.", no_args_is_help=True)
    answers.command("list")(list_)
    answers.command("take-up")(take_up)
    app.add_typer(answers, name="answers")


def list_rewards(
    creator: Annotated[str | None, typer.Option(help="Only replies of this creator.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000, help="How many replies at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what the latest measured replies were worth at each age, and of which none can be worked out and why."""
    with reporting(as_json), open_database() as database:
        from resources.commands.rewards import read_rewards

        read = read_rewards(database, creator, most=most)
    if as_json:
        print_json(asdict(read))
        return
    ages = {one.window_s for one in read.ages}
    columns = ("publication", "channel", "strategy", "sent (UTC)", *map(age, sorted(ages)))
    print_table(
        "Rewards by age", columns, _by_reply(read.ages, sorted(ages)), empty="Nothing was rewarded yet."
    )
    if read.failed:
        failed = ((one.publication_id, f"{one.failed_at:%Y-%m-%d %H:%M}", one.reason) for one in read.failed)
        print_table(
            "Cannot be worked out; tried again after a day", ("publication", "at (UTC)", "why"), failed
        )


def age(window_s: int) -> str:
    """An age in words.

    >>> age(3_600), age(259_200), age(604_800)
    ('1 h', '72 h', '7 d')
    """
    hours = window_s // 3_600
    return f"{hours} h" if hours < 168 else f"{hours // 24} d"


def _by_reply(ages: "Sequence[RewardAtAge]", windows_s: Sequence[int]) -> Iterator[tuple[str, ...]]:
    # A star marks a snapshot that was taken too late to speak for its age, a cross a reply that was gone by then.
    for publication_id, group in groupby(ages, key=lambda one: one.publication_id):
        found = {one.window_s: one for one in group}
        of = next(iter(found.values()))
        marked = (
            f"{one.reward:+.2f}{'*' * bool(one.is_late)}{'x' * bool(one.is_deleted)}" if one else ""
            for one in map(found.get, windows_s)
        )
        yield str(publication_id), of.channel, of.strategy, f"{of.sent_at:%Y-%m-%d %H:%M}", *marked


def show(creator: Creator = None, as_json: AsJson = False) -> None:
    """Show every version of the weights, who set it and when; the first one of a creator holds."""
    with reporting(as_json), open_database() as database:
        from resources.commands.reward_weights import read_weights

        versions = read_weights(database, creator)
    if as_json:
        print_json({"weights": [asdict(one) for one in versions]})
        return
    rows = (
        (v.creator, v.version, key, f"{value:g}", v.person or "tuning", f"{v.created_at:%Y-%m-%d %H:%M}")
        for v in versions
        for key, value in asdict(v.weights).items()
    )
    columns = ("creator", "version", "weight", "value", "set by", "at (UTC)")
    print_table(
        "Weights of rewards", columns, rows, empty="Nothing was rewarded yet: the tuning's will hold."
    )


def set_(
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="For example growth=0.5.")],
    creator: Creator = None,
    reason: Annotated[str, typer.Option(help="Why; stands in the audit.")] = "",
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Set weights of a creator; all his replies are weighed again, and the old rewards are kept."""
    with deciding(who, as_json) as (database, actor):
        from cli.policy import pairs_of
        from resources.commands.reward_weights import set_weights
        from resources.rewarding import weights_of
        from resources.settings import load_settings
        from resources.tuning import load_tuning

        defaults = weights_of(load_tuning(load_settings()).rewards)
        done = set_weights(database, actor, creator, pairs_of(values), defaults=defaults, reason=reason)
    changes = "; ".join(f"{key}: {old:g} -> {new:g}" for key, (old, new) in done.changed.items())
    answer(asdict(done), as_json, f"{done.creator}, version {done.version}: {changes or 'nothing changes'}.")


def list_(
    kind: Annotated[Kind | None, typer.Option(help="Only such answers.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest answers to our replies, what they are, and where they stand."""
    with reporting(as_json), open_database() as database:
        from resources.commands.follow_ups import read_follow_ups

        found = read_follow_ups(database, kind=kind, most=most)
    if as_json:
        print_json({"answers": [asdict(one) for one in found]})
        return
    rows = (
        (a.post_id, a.publication_id, a.kind or "", f"{a.stage}/{a.status}", a.author or "", a.text)
        for a in found
    )
    columns = ("post", "to publication", "kind", "stands at", "author", "text")
    print_table("Answers to our replies", columns, rows, empty="Nobody answered yet.")


def take_up(
    post_id: Annotated[
        int, typer.Argument(metavar="POST_ID", help="Number of the post, as in `answers list`.")
    ],
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Let a remark that was only kept be worked on as if it had asked."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.follow_ups import take_up as take_post_up

        take_post_up(database, actor, post_id)
    answer({"post_id": post_id}, as_json, f"Post {post_id} goes to triage.")
