"""The fault campaign: thousands of approved replies, two platforms, and everything that can break does.

A supervisor kills publishers, lets the sandbox drop connections before and after it takes a reply, answers with
every kind of error, ends tokens, restarts PostgreSQL, sets clocks wrong and pauses channels or everything, at moments
that a seed draws. Then what stands on the sandbox is counted from its own log: nothing twice, nothing that nobody
approved, nothing lost, nothing left open, nothing over a limit; and nothing left while it was paused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

import httpx

from bench.own_home import own_home
from bench.publish_clocks import Clocks, require_time_machine
from bench.publish_desk import Desk, approve_all, open_desk, write_posts
from bench.publish_pauses import Pauses
from bench.publish_person import Person, Timelines
from bench.publish_plan import Account, Plan, Wanted, draw_plan, parent_id
from bench.publish_processes import PUBLISHERS_LOG, Publishers, running_sandbox, write_orders
from bench.publish_supervisor import Supervisor
from bench.publish_witness import Part, Verdict, judge
from rejoinder.listening.post import Platform

if TYPE_CHECKING:
    from resources.settings import Settings

LONGEST_S = 1800.0
BARE = 30  # calls of the bare client, per platform
BARE_ACCOUNT = "bench_bare"

PARTS = """
select p.id as publication_id, p.post_id, p.state as publication_state, a.position - f.first as position, a.state,
       a.platform_id
from publication p
join publication_part a on a.publication_id = p.id
cross join lateral (select min(b.position) as first from publication_part b where b.publication_id = p.id) f
"""
ENDS = "select state, count(*)::int as n from publication group by state"
REASONS = """
select reason_code, count(*)::int as n from publication where state in ('refused', 'cancelled') group by reason_code
"""


def measure_publish_faults(
    *,
    publications: int,
    publishers: int,
    seed: int,
    advance: Callable[[int], None],
    longest_s: float = LONGEST_S,
) -> dict[str, Any]:
    """Run the campaign in a home of its own that is removed afterwards.

    Args:
        publications: how many are approved, >= 10.
        publishers: processes side by side, >= 1.
        seed: of the plan.
        advance: told of each approval and of each publication that came to its end.
        longest_s: after so many seconds what is open counts as unresolved.

    Returns:
        value is publications per second of real time, faults and all; baseline that of a bare client that sends one
        request after the other to the same sandbox. is_clean says whether all of ``violations`` are 0.
    """
    from resources.settings import use_home

    require_time_machine()
    plan = draw_plan(publications, publishers, seed)
    bare = tuple(_bare(publications))
    with own_home() as home:
        settings = use_home(home)
        write_posts(home / "posts.jsonl", (*plan.wanted, *bare))
        with running_sandbox(home, home / "posts.jsonl") as control:
            keys = _add_accounts(control, {one.account.name for one in (*plan.wanted, *bare)})
            supervisor = _get_ready(plan, settings, control, keys, publishers, seed, advance)
            baseline = _bare_rate(control, keys, bare)
            with _closed_at_the_end(supervisor):
                seconds = supervisor.run(longest_s)
                supervisor.publishers.stop()
                return _told(supervisor, seconds, baseline)


def _bare(n: int) -> Iterator[Wanted]:
    for number in range(n, n + 2 * BARE):
        platform: Platform = "x" if number % 2 else "reddit"
        account = Account(BARE_ACCOUNT, platform)
        yield Wanted(number, account, parent_id(platform, number), (f"Bare reply {number}.",))


def _add_accounts(control: httpx.Client, names: set[str]) -> Mapping[str, Any]:
    for name in sorted(names):
        control.post("/sandbox/accounts", json={"account": name}).raise_for_status()
    shown = control.get("/sandbox/credentials").raise_for_status().json()
    return shown["accounts"]  # type: ignore[no-any-return]


def _get_ready(
    plan: Plan,
    settings: "Settings",
    control: httpx.Client,
    keys: Mapping[str, Any],
    n_publishers: int,
    seed: int,
    advance: Callable[[int], None],
) -> Supervisor:
    from resources.provision import prepare

    addresses, home = prepare(settings), settings.home_dir
    desk = open_desk(addresses, _url(control), keys, plan.wanted)
    clocks = Clocks(home, control, desk.owner, n_publishers, Random(seed + 1))
    clocks.start()
    approve_all(desk, plan.wanted, clocks.now(), advance)
    person = Person(
        desk, Timelines(control, keys), {desk.publications[one.number]: one for one in plan.wanted}
    )
    orders = write_orders(home, addresses.publisher, [clocks.file(number) for number in range(n_publishers)])
    crew = Publishers(orders, home / PUBLISHERS_LOG)
    pauses = Pauses(desk, lambda path: control.get(f"/sandbox/{path}").raise_for_status().json())
    return Supervisor(plan, desk, clocks, person, pauses, crew, control, settings, Random(seed + 2), advance)


def _url(control: httpx.Client) -> str:
    return str(control.base_url).rstrip("/")


@contextmanager
def _closed_at_the_end(supervisor: Supervisor) -> Iterator[None]:
    try:
        yield
    finally:
        supervisor.publishers.stop()
        supervisor.desk.app.close()
        supervisor.desk.owner.close()


def _bare_rate(control: httpx.Client, keys: Mapping[str, Any], bare: Sequence[Wanted]) -> float:
    """Replies per second of the adapters alone: nothing is looked at, stored or read back."""
    from resources.platforms.adapters import open_platform
    from resources.sealing.splits import split_credentials

    clients = {}
    for platform, of in keys[BARE_ACCOUNT].items():
        if platform in ("x", "reddit"):
            written = split_credentials(platform, of, account=BARE_ACCOUNT).write
            clients[platform] = open_platform(platform, _url(control), written)
    began = monotonic()
    for one in bare:
        clients[one.account.platform].publish(one.parent_id, one.texts[0])
    return len(bare) / (monotonic() - began)


def _told(supervisor: Supervisor, seconds: float, baseline: float) -> dict[str, Any]:
    desk, plan, person = supervisor.desk, supervisor.plan, supervisor.person
    verdict = _verdict(supervisor)
    violations = {**verdict.counts(), "publishers_that_ended": supervisor.publishers.ends}
    rate = len(plan.wanted) / seconds
    return {
        "name": "publish-faults",
        "value": round(rate, 1),
        "unit": "publications/s, everything breaking",
        "baseline": round(baseline, 1),
        "baseline_is": "the adapters alone, one request after the other, nothing breaking",
        "ratio": round(rate / baseline, 3),
        "publications": len(plan.wanted),
        "parts": sum(len(one.texts) for one in plan.wanted),
        "publishers": len(supervisor.publishers.orders),
        "seconds": round(seconds, 1),
        "is_clean": not any(violations.values()),
        "violations": violations,
        "ends": _counted(desk, ENDS),
        "not_sent_because": _counted(desk, REASONS),
        **_broken(supervisor),
        "by_a_person": {
            "found_on_the_timeline": person.found,
            "sent_again": person.sent_again,
            "approved_again": person.approved_again,
            "given_up": person.given_up,
        },
    }


def _verdict(supervisor: Supervisor) -> Verdict:
    desk = supervisor.desk
    names = {account.name for account in supervisor.plan.accounts}
    log, limits = (
        [line for line in supervisor.control.get(f"/sandbox/{path}").json() if line["account"] in names]
        for path in ("log", "limits")
    )
    numbers = {desk.posts[one.parent_id]: one.number for one in supervisor.plan.wanted}
    parts = [
        Part(
            numbers[row["post_id"]],
            row["position"],
            row["publication_state"],
            row["state"],
            row["platform_id"],
        )
        for row in desk.rows(PARTS)
    ]
    wanted = {one.number: one for one in supervisor.plan.wanted}
    return judge(log, limits, wanted, parts, supervisor.pauses.over)


def _counted(desk: Desk, statement: str) -> dict[str, int]:
    return {str(name): n for name, n in (row.values() for row in desk.rows(statement))}


def _broken(supervisor: Supervisor) -> dict[str, Any]:
    """What broke, by the sandbox's own count where it was the sandbox that broke it."""
    faults, clocks = supervisor.struck(), supervisor.clocks
    return {
        "faults": faults,
        "n_faults": sum(faults.values()),
        "kills": supervisor.publishers.kills,
        "postgres_restarts": supervisor.broken["postgres"],
        "parents_that_went": supervisor.broken["parent"],
        "pauses_of_a_channel": sum(one.channel is not None for one in supervisor.pauses.over),
        "pauses_of_everything": sum(one.channel is None for one in supervisor.pauses.over),
        "clocks_set_wrong": sum(
            supervisor.broken[f"{whose}_clock"] for whose in ("sandbox", "publisher", "database")
        ),
        "campaign_hours": round(clocks.offset_s / 3600, 1),
        "jumps_ahead": clocks.jumps,
    }
