"""``python -m resources.sandbox``: load posts, listen, print one JSON line with the address."""

import argparse
import json
import sys
from pathlib import Path

from resources.sandbox.app import build_app, open_world
from resources.sandbox.load import load_posts
from resources.sandbox.openai_rehearsal import load_script
from resources.sandbox.openai_routes import BASE
from resources.sandbox.serve import build_server, listen, url_host
from resources.sandbox.state import State

PORT_IN_USE = 3
UNREADABLE = 4


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m resources.sandbox",
        description="A local stand-in for the X API v2, the Reddit API and OpenAI's API for models, whose answers "
        "are rehearsed. Nothing leaves this machine.",
    )
    parser.add_argument("--state", type=Path, required=True, help="SQLite file that keeps everything")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--posts", type=Path, help="JSONL file of posts to load before listening")
    parser.add_argument(
        "--script", type=Path, help="JSON file of models, answers and faults; replaces those in the state"
    )
    parser.add_argument("--account", help="handle of the account that replies")
    parser.add_argument("--ready-file", type=Path, help="file that gets the same JSON line as stdout")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox; returns the exit code."""
    options = parse_arguments(arguments)
    try:
        listener = listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return PORT_IN_USE
    state = State(options.state)
    with listener:
        if options.posts is not None and not load_and_report(state, options.posts):
            return UNREADABLE
        if options.script is not None and not load_script_and_report(state, options.script):
            return UNREADABLE
        server = build_server(build_app(open_world(state, options.account)))
        announce(f"http://{url_host(options.host)}:{listener.getsockname()[1]}", options.ready_file)
        server.run(sockets=[listener])
    state.close()
    return 0


def load_and_report(state: State, path: Path) -> bool:
    """Load posts and say on stderr what was skipped; False when the file cannot be read."""
    try:
        report = load_posts(state, path)
    except OSError as error:
        print(f"cannot read {path}: {error.strerror}", file=sys.stderr)
        return False
    for line_number, reason in report.skipped:
        print(f"{path}:{line_number}: skipped: {reason}", file=sys.stderr)
    print(
        f"{report.loaded} posts loaded, {report.known} known, {len(report.skipped)} skipped", file=sys.stderr
    )
    return True


def load_script_and_report(state: State, path: Path) -> bool:
    """Load a script of answers; False, with the reason on stderr, when it cannot be used."""
    try:
        load_script(state, path)
    except (OSError, ValueError) as error:
        print(f"cannot use {path}: {error}", file=sys.stderr)
        return False
    return True


def announce(url: str, ready_file: Path | None) -> None:
    """Tell the address; connections wait in the socket's queue from here on."""
    line = json.dumps({"url": url, "openai_base_url": url + BASE})
    if ready_file is not None:
        ready_file.write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
