"""`rejoinder api`: the HTTP API for other services, its tokens and the keys that sign them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import acting, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.access.keyring import Key
    from resources.commands.actors import Actor
    from resources.postgres import Database

PORT = 8700
TTL_S = 600

Scopes = Annotated[
    list[str],
    typer.Option(
        "--scope", help="sources:read, sources:write, search, ask or conversions:write; repeatable."
    ),
]
Service = Annotated[str, typer.Argument(metavar="NAME", help="What the service is called.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="Serve the HTTP API; make its tokens and keys.", no_args_is_help=True)
    for command in (serve, token, keys, rotate, trust, distrust):
        group.command(command.__name__)(command)
    app.add_typer(group, name="api")


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; only this machine reaches the default.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    expose: Annotated[
        bool,
        typer.Option("--expose", help="Let --host be an address that other machines reach, without TLS."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as one JSON object.")] = False,
) -> None:
    """Answer other services over HTTP until Ctrl-C; requests in hand are finished first.

    What it takes and gives is at /openapi.json and in docs/api.md. What it takes in waits for `rejoinder ingest`,
    `rejoinder run` or Dagster to be read.
    """
    with reporting(as_json):
        from api.serve import application, build_server, listen, refuse_open_door
        from resources.rounds import open_bench

        refuse_open_door(host, may_be_remote=expose)
        with listen(host, port) as listener, open_bench() as bench:
            server = build_server(application(bench))
            url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
            answer({"url": url}, as_json, f"The API answers at {url}; Ctrl-C stops it.")
            _flush()
            server.run(sockets=[listener])


def _flush() -> None:
    """The address goes out before the server runs, whoever reads it."""
    import sys

    sys.stdout.flush()


def token(
    scope: Scopes,
    name: Annotated[
        str, typer.Option("--for", metavar="NAME", help="Which service it is for.")
    ] = "command-line",
    ttl: Annotated[int, typer.Option(min=1, max=3600, metavar="SECONDS", help="How long it counts.")] = TTL_S,
    who: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="Act for this account, with its role; without it for the machine."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a token for the API, once; it is kept nowhere."""
    with reporting(as_json), open_database() as database:
        from resources.access.scopes import parse_scopes
        from resources.commands.api_tokens import issue_token
        from resources.settings import load_settings

        made = issue_token(
            database,
            load_settings().home_dir,
            _actor(database, who),
            subject=name,
            scopes=parse_scopes(scope),
            ttl_s=ttl,
        )
        claims = made.claims
        facts = {"expires_at": claims.expires_at, "scopes": claims.grant.scopes, "key": claims.key_id}
        answer({"token": made.token, **facts}, as_json, made.token)


def _actor(database: "Database", who: str | None) -> "Actor":
    from resources.commands.actors import machine_owner

    return acting(database, who) if who else machine_owner()


def keys(as_json: AsJson = False) -> None:
    """List the keys that tokens may be signed with; never their private halves."""
    with reporting(as_json):
        from resources.access.keyring import load_keyring
        from resources.settings import load_settings

        found = load_keyring(load_settings().home_dir).keys
        if as_json:
            print_json({"keys": [_facts(key) for key in found]})
            return
        rows = [(k.kid, k.owner, " ".join(k.scopes), k.created_at, k.retires_at) for k in found]
        columns = ("key", "signs", "scopes at most", "since (UTC)", "counts until")
        print_table("Keys", columns, rows, empty="No keys yet: `rejoinder api token` makes the first.")


def _facts(key: "Key") -> dict[str, object]:
    return key.model_dump(mode="json", exclude={"d"})


def rotate(
    at_once: Annotated[
        bool, typer.Option("--now", help="Refuse at once what the replaced key signed: one may have leaked.")
    ] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Sign with a new key from now on; tokens of the replaced one count until they expire, or not with --now."""
    with reporting(as_json), open_database() as database:
        from resources.commands.api_tokens import rotate_keys
        from resources.settings import load_settings

        key = rotate_keys(database, load_settings().home_dir, _actor(database, who), at_once=at_once)
        answer(_facts(key), as_json, f"New tokens are signed with {key.kid}.")


def trust(
    name: Service,
    key_file: Annotated[
        Path, typer.Option("--key", exists=True, dir_okay=False, help="Its public Ed25519 key, as PEM.")
    ],
    scope: Scopes,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Accept tokens that a service of your own signs with its own key, for these scopes at most."""
    with reporting(as_json), open_database() as database:
        from resources.access.scopes import parse_scopes
        from resources.commands.api_tokens import trust_key
        from resources.settings import load_settings

        key = trust_key(
            database,
            load_settings().home_dir,
            _actor(database, who),
            owner=name,
            public_key=key_file.read_bytes(),
            scopes=parse_scopes(scope),
        )
        if as_json:
            print_json(_facts(key))
            return
        say(f"Tokens of {name} count if their header has kid {key.kid} and their issuer is {name}.")


def distrust(name: Service, who: As = None, as_json: AsJson = False) -> None:
    """Refuse from now on what a service signs with its own key."""
    with reporting(as_json), open_database() as database:
        from resources.commands.api_tokens import distrust_key
        from resources.settings import load_settings

        distrust_key(database, load_settings().home_dir, _actor(database, who), name)
        answer({"name": name}, as_json, f"Tokens of {name} no longer count.")
