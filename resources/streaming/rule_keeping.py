"""The rules of one stream kept as ours: sent by difference, and put aside where the platform does not take one."""

import logging
from collections.abc import Sequence

from rejoinder.listening.rules import ListeningRule
from resources.platforms.streaming import RuleChanges
from resources.store.refused_rules import put_aside, rules_aside
from resources.streaming.catch_up import Ground
from resources.streaming.costs import tell_cost

log = logging.getLogger("rejoinder.listening")


def keep_rules(ground: Ground, rules: Sequence[ListeningRule]) -> tuple[ListeningRule, ...]:
    """Make the stream's rules equal to these; what new ones will cost is told before.

    Returns:
        Those that the platform has. The others are put aside with its reason, and people are told.

    Raises:
        PlatformFailure: the platform does not answer, or takes no rules at all.
        ConfigInvalid: they are more than one stream takes.
    """
    tell_cost(ground.db, ground.client, ground.channel, lambda: ground.stream.plan_rules(rules).added)
    changes = ground.stream.sync_rules(rules)
    _log(ground, changes)
    with ground.db.transaction() as tx:
        put_aside(tx, ground.channel, changes.refused)
        ground.remark = remark_of(len(rules_aside(tx, ground.channel.id)))
    unwanted = {one.rule for one in changes.refused}
    return tuple(rule for rule in rules if rule not in unwanted)


def remark_of(n_aside: int) -> str:
    """What people read beside a stream that stands.

    >>> remark_of(0), remark_of(2)
    ('', '2 rules are put aside, because X does not take them: `rejoinder rules list` says why')
    """
    if not n_aside:
        return ""
    put = (
        "1 rule is put aside, because X does not take it"
        if n_aside == 1
        else f"{n_aside} rules are put aside, because X does not take them"
    )
    return f"{put}: `rejoinder rules list` says why"


def _log(ground: Ground, changes: RuleChanges) -> None:
    name = ground.channel.name
    if not changes.is_empty:
        counts = len(changes.added), len(changes.removed)
        log.info("channel %s: %d rules added to the stream, %d removed", name, *counts)
    for rule, reason in changes.refused:
        log.warning("channel %s: the rule %s is put aside: %s", name, rule.tag, reason)
