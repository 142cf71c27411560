"""How long to wait before a model is asked once more."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Calls of one endpoint and the seconds between them.

    attempts is how often it is called at most. The wait before the second call is drawn up to first_s, that bound
    doubles each time, and no wait is longer than longest_s.
    """

    attempts: int = 3
    first_s: float = 0.5
    longest_s: float = 30.0

    def wait_s(self, done: int, retry_after_s: float | None, draw: Callable[[], float]) -> float | None:
        """Seconds until the next call; None if there is to be none.

        The wait is drawn evenly between nothing and its bound ("full jitter"), so that callers who failed together do
        not come back together. Where the endpoint said how long to wait, that is waited, and the drawn part after it as
        far as longest_s allows.

        Args:
            done: calls that failed, at least 1.
            retry_after_s: what the endpoint asked for, None where it did not say.
            draw: a random number in [0, 1).

        Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

        >>> [Backoff(4, 0.5, 30).wait_s(n, None, lambda: 1.0) for n in (1, 2, 3, 4)]
        [0.5, 1.0, 2.0, None]
        >>> Backoff().wait_s(1, 2.0, lambda: 0.5), Backoff().wait_s(1, 31.0, lambda: 0.5)
        (2.25, None)
        """
        asked_s = max(0.0, retry_after_s or 0.0)
        if done >= self.attempts or asked_s > self.longest_s:
            return None
        bound_s = min(self.longest_s, self.first_s * 2.0 ** (done - 1))
        return min(self.longest_s, asked_s + draw() * bound_s)
