"""The rules of one stream kept as ours: sent by difference, and put aside where the platform does not take one."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from rejoinder.listening.rules import ListeningRule
from resources.platforms.streaming import RuleChanges
from resources.store.refused_rules import put_aside, rules_aside
from resources.streaming.catch_up import Ground
from resources.streaming.costs import tell_cost

log = logging.getLogger("rejoinder.listening")


class Kept(NamedTuple):
    """The rules that the platform has now, and those among them that it did not have before."""

    rules: tuple[ListeningRule, ...]
    added: tuple[ListeningRule, ...]


def keep_rules(ground: Ground, rules: Sequence[ListeningRule]) -> Kept:
    """Make the stream's rules equal to these; what new ones will cost is told before.

    A rule that the platform does not take is put aside with its reason, and people are told; other programs' rules are
    left alone, and that is said.

    Raises:
        PlatformFailure: the platform does not answer, or takes no rules at all.
        ConfigInvalid: they are more than one stream takes.
    """
    tell_cost(ground.db, ground.client, ground.channel, lambda: ground.stream.plan_rules(rules).added)
    changes = ground.stream.sync_rules(rules)
    with ground.db.transaction() as tx:
        put_aside(tx, ground.channel, changes.refused)
        remark = remark_of(len(rules_aside(tx, ground.channel.id)), len(changes.foreign))
    _log(ground, changes, remark)
    ground.remark = remark
    unwanted = {one.rule for one in changes.refused}
    return Kept(tuple(rule for rule in rules if rule not in unwanted), changes.added)


def remark_of(n_aside: int, n_foreign: int) -> str:
    """What people read beside a stream that stands.

    >>> remark_of(0, 0), remark_of(2, 0)
    ('', 'rules that X does not take: 2 (`rejoinder rules list` says why)')
    >>> remark_of(0, 1)
    'rules at X that are not ours: 1, left alone; what they match is heard and paid for too'
    """
    aside = f"rules that X does not take: {n_aside} (`rejoinder rules list` says why)" if n_aside else ""
    foreign = (
        f"rules at X that are not ours: {n_foreign}, left alone; what they match is heard and paid for too"
    )
    return "; ".join(filter(None, (aside, foreign if n_foreign else "")))


def _log(ground: Ground, changes: RuleChanges, remark: str) -> None:
    name = ground.channel.name
    if not changes.is_empty:
        counts = len(changes.added), len(changes.removed)
        log.info("channel %s: %d rules added to the stream, %d removed", name, *counts)
    for rule, reason in changes.refused:
        log.warning("channel %s: the rule %s is put aside: %s", name, rule.tag, reason)
    if remark and remark != ground.remark:
        log.warning("channel %s: %s", name, remark)
