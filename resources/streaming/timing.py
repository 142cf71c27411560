"""How long listening waits, and for what; seconds. A rehearsal may be less patient than X asks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of a listener to a stream.

    poll_s: between two polls for mentions beside a stream, and of everything where there is no stream.
    settle_s: after connecting, and after a rule is new, until one search of everything proves that nothing is
    missing: X's rules are live some 20 s after they were sent, its search shows a post some time after that.
    disorder_s: how late a post may come behind newer ones. rules_s: between two looks at our own rules. proof_s:
    between two looks at those at the platform, which other programs may change (X takes 450 in a quarter of an hour);
    the search cursors move then. block_posts and block_s: what is stored in one transaction. stood_s: a connection
    that lasted so long was one, and not another failed attempt.
    """

    poll_s: float = 30.0
    settle_s: float = 60.0
    disorder_s: float = 60.0
    rules_s: float = 15.0
    proof_s: float = 60.0
    block_posts: int = 500
    block_s: float = 0.2
    stood_s: float = 1.0
