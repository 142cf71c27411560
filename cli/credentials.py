"""`rejoinder credentials`: the keys that channels' credentials are sealed with."""

from dataclasses import asdict

import typer

from cli.context import acting
from cli.output import As, AsJson, answer, print_json, print_table, reporting

credentials = typer.Typer(
    no_args_is_help=True, help="List, check and replace the keys of channels' credentials."
)

LEFT = (
    "`rejoinder credentials check` says why: put their key back and rotate again, or give these channels their "
    "credentials anew: `rejoinder channel set-credential NAME`."
)


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(credentials, name="credentials")


@credentials.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List keys by name with their age and use, and which key sealed what; no secret is shown."""
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.commands.credentials import list_keys, list_seals
        from resources.sealing.opening import this_keeper

        keeper = this_keeper()
        keys, seals, place = list_keys(bench.db, keeper), list_seals(bench.db), keeper.source.place
    if as_json:
        print_json({"place": place, "keys": [asdict(key) for key in keys], "credentials": seals})
        return
    print_table(f"Keys in {place}", ("id", "kind", "made_at", "n_rows", "is_newest"), (
        (key.id, key.kind, key.made_at, key.n_rows, key.is_newest) for key in keys
    ))  # fmt: skip
    columns = ("channel", "platform", "kind", "key_id", "sealed_at")
    print_table("Credentials", columns, ([row[column] for column in columns] for row in seals))


@credentials.command()
def check(as_json: AsJson = False) -> None:
    """Open every credential that is stored, without calling a platform; exit code 1 if one does not open."""
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.commands.credentials import check_seals

        found = check_seals(bench.db, bench.publisher_db())
    is_well = all(one.is_open for one in found)
    if as_json:
        print_json({"ok": is_well, "credentials": [asdict(one) for one in found]})
    else:
        rows = ((one.channel, one.kind, "yes" if one.is_open else "no", one.trouble) for one in found)
        print_table("Credentials", ("channel", "kind", "opens", "trouble"), rows)
    raise typer.Exit(0 if is_well else 1)


@credentials.command()
def rotate(who: As = None, as_json: AsJson = False) -> None:
    """Seal every credential with new keys and drop the old ones; safe to run again after it was cut off.

    Exit code 1 if a credential opens with no key: it is left as it was, and named.
    Keys of the environment are not made here: put a new one first in REJOINDER_CREDENTIAL_KEYS, rotate, then take the
    old one out.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.commands.credentials import rotate_keys
        from resources.sealing.opening import this_keeper

        done = rotate_keys(bench.db, bench.addresses.owner, acting(bench.db, who), this_keeper())
    told = f"{done.n_sealed} credentials are sealed with {' and '.join(done.key_ids)}."
    left = (
        f" No key opens these, and they were left: {', '.join(done.unopened)}. {LEFT}"
        if done.unopened
        else ""
    )
    answer({**asdict(done), "fix": LEFT if left else None}, as_json, told + left)
    raise typer.Exit(1 if done.unopened else 0)
