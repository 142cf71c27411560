"""Links of replies, as steps need them: what the channel proposes, and addresses of our own that count visits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rejoinder.drafting.citations import citation_address, may_be_linked
from rejoinder.drafting.link_proposals import LinkProposal, propose_link
from rejoinder.listening.answerable import how_to_publish
from rejoinder.listening.policy import is_summoned
from rejoinder.listening.post import Post
from rejoinder.research.evidence import Evidence
from rejoinder.text.public_urls import is_public
from resources.postgres import Transaction
from resources.store.channels import Channel
from resources.store.links import new_code, own_address, save_tracked_link

SWITCHED_OFF = LinkProposal(False, "the channel is switched off", 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Makes addresses of our own: base is where the API can be reached from everywhere, None where it cannot."""

    base: str | None = None
    code: Callable[[], str] = new_code

    def instead(
        self, channel: Channel | None, evidence: Sequence[Evidence], known: Mapping[str, str]
    ) -> dict[str, str]:
        """Our address for each that the evidence has, by that address; those known stay what they were.

        None where the channel takes no links or has none counted, or where there is no base. A base that not everybody
        can reach counts in rehearsals alone.
        """
        base = self._base_for(channel)
        if base is None:
            return {}
        targets = [found for one in evidence if (found := citation_address(one))]
        fresh = {target: own_address(base, self.code()) for target in targets if target not in known}
        return {**known, **fresh}

    def _base_for(self, channel: Channel | None) -> str | None:
        if self.base is None or channel is None:
            return None
        is_wanted = channel.policy.tracked_links and channel.policy.allow_links
        return self.base if is_wanted and (channel.is_sandbox or is_public(self.base)) else None


def proposal_for(
    post: Post, channel: Channel | None, evidence: Sequence[Evidence], *, is_written: bool = False
) -> LinkProposal:
    """Whether the channel proposes a link for the reply to a post, and at which price; is_written: by a model."""
    if channel is None:
        return SWITCHED_OFF
    return propose_link(
        channel.policy,
        way=how_to_publish(post, channel.policy, channel.account),
        is_summoned=is_summoned(post, channel.account),
        has_address=may_be_linked(evidence, post.platform, is_written=is_written),
    )


def save_link(tx: Transaction, post_id: int, quoted: Evidence, instead: Mapping[str, str]) -> None:
    """Make our address for what a draft quotes lead there, whether the draft has it or a reviewer may yet put it in."""
    target = citation_address(quoted)
    if target and target in instead:
        save_tracked_link(tx, post_id, address=instead[target], target=target, source_id=quoted.source_id)
