"""Listening rules of every channel, kept in step with the corpus's keywords."""

from rejoinder.listening.rules import rules_from_keywords
from resources.store.channels import enabled_channels
from resources.wiring import Workbench, listened_keywords


def refresh_rules(bench: Workbench) -> dict[str, int]:
    """Write the rules of each enabled channel anew; how many each has."""
    words = listened_keywords(bench.db)
    counts = {}
    with bench.db.transaction() as tx:
        for channel in enabled_channels(tx):
            rules = rules_from_keywords(words, account=channel.account, communities=channel.communities)
            for rule in rules:
                tx.execute("upsert_listening_rule", channel_id=channel.id, tag=rule.tag, query=rule.x_query)
            tx.execute("retire_listening_rules", channel_id=channel.id, tags=[r.tag for r in rules])
            counts[channel.name] = len(rules)
    return counts
