"""Whether a reply is drafted with a link: decided from the channel's policy and its prices before a word is written.

What belongs here: the pure decision. The draft keeps room for a link that is proposed; a person who reads it may add or
remove one and is told both prices.
"""

from dataclasses import dataclass

from rejoinder.listening.policy import ChannelPolicy, Way, reply_price_usd

# Prices are told in hundredths of a cent; less than that is no difference.
SAME_USD = 5e-7


@dataclass(frozen=True, slots=True)
class LinkProposal:
    """Whether a link is proposed, why (for people), and what the reply costs without and with one, in USD."""

    is_proposed: bool
    reason: str
    price_usd: float
    price_with_link_usd: float

    @property
    def extra_usd(self) -> float:
        """What the link adds to the price."""
        return self.price_with_link_usd - self.price_usd


def propose_link(policy: ChannelPolicy, *, way: Way, is_summoned: bool, has_address: bool) -> LinkProposal:
    """Whether to draft a reply with a link to what it quotes.

    Args:
        policy: of the channel.
        way: how the reply would go out; by hand it costs nothing, with or without a link.
        is_summoned: the author called us, which some platforms charge less for.
        has_address: the evidence has an address that everybody can open.

    >>> from rejoinder.listening.policy import default_policy
    >>> found = propose_link(
    ...     default_policy("x/self_serve"), way="api", is_summoned=False, has_address=True
    ... )
    >>> found.is_proposed, found.reason
    (False, 'a link costs 0.185 USD more, 0.2 instead of 0.015')
    """
    plain, linked = (
        reply_price_usd(policy, has_link=has_link, is_summoned=is_summoned) if way == "api" else 0.0
        for has_link in (False, True)
    )
    is_proposed, reason = _decide(policy, plain, linked, has_address)
    return LinkProposal(is_proposed, reason, plain, linked)


def _decide(policy: ChannelPolicy, plain: float, linked: float, has_address: bool) -> tuple[bool, str]:
    if not has_address:
        return False, "the source has no address that everybody can open: title and time cite it"
    if not policy.allow_links:
        return False, "the channel takes no links"
    if policy.links == "never":
        return False, "the channel's policy proposes no links"
    extra = linked - plain
    if policy.links == "always":
        return True, f"the channel's policy always proposes one, for {_usd(max(extra, 0.0))} USD more"
    if extra <= SAME_USD:
        return True, "a link costs nothing more"
    told = f"a link costs {_usd(extra)} USD more, {_usd(linked)} instead of {_usd(plain)}"
    if policy.links == "when_free":
        return False, told
    is_worth = extra <= policy.link_worth_usd + SAME_USD
    return is_worth, f"{told}, and is worth {_usd(policy.link_worth_usd)} here"


def _usd(amount: float) -> str:
    return f"{round(amount, 6):g}"
