"""``python -m resources.sandbox``: load posts, listen, print one JSON line with the address."""

import argparse
import json
import sys
from pathlib import Path

from resources.sandbox.app import build_app, open_world
from resources.sandbox.load import load_posts
from resources.sandbox.openai_rehearsal import load_script
from resources.sandbox.openai_routes import BASE
from resources.sandbox.scenario import ScenarioInvalid, describe_shipped, find_scenario, load_scenario
from resources.sandbox.scenario_start import start_scenario
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
    parser.add_argument("--state", type=Path, help="SQLite file that keeps everything")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--posts", type=Path, help="JSONL file of posts to load before listening")
    parser.add_argument(
        "--script", type=Path, help="JSON file of models, answers and faults; replaces those in the state"
    )
    parser.add_argument(
        "--scenario", help="a scenario to play: the name of one that is shipped, or a YAML file"
    )
    parser.add_argument("--list-scenarios", action="store_true", help="tell the shipped scenarios and end")
    parser.add_argument("--account", help="handle of the account that replies")
    parser.add_argument("--ready-file", type=Path, help="file that gets the same JSON line as stdout")
    options = parser.parse_args(arguments)
    if options.state is None and not options.list_scenarios:
        parser.error("--state is missing: a file that keeps everything")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox; returns the exit code."""
    options = parse_arguments(arguments)
    if options.list_scenarios:
        print(describe_shipped())
        return 0
    try:
        listener = listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return PORT_IN_USE
    state = State(options.state)
    with listener:
        if not load_all(state, options):
            return UNREADABLE
        server = build_server(build_app(open_world(state, options.account)))
        announce(f"http://{url_host(options.host)}:{listener.getsockname()[1]}", options.ready_file)
        server.run(sockets=[listener])
    state.close()
    return 0


def load_all(state: State, options: argparse.Namespace) -> bool:
    """Load what the options name; False, with the reason on stderr, when some of it cannot be used."""
    if options.posts is not None and not load_and_report(state, options.posts):
        return False
    if options.script is not None and not load_script_and_report(state, options.script):
        return False
    return options.scenario is None or start_and_report(state, options.scenario, options.account)


def start_and_report(state: State, given: str, account: str | None) -> bool:
    """Start a scenario, or go on with it; False, with the reason on stderr, when it cannot be used."""
    try:
        scenario = load_scenario(find_scenario(given))
        started = start_scenario(state, scenario, account)
    except ScenarioInvalid as error:
        print(error, file=sys.stderr)
        return False
    how = "goes on" if started.goes_on else "starts"
    print(f"scenario {scenario.name} {how}, {started.waiting} events to come", file=sys.stderr)
    return True


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
