"""How long the publisher's loop rests after a pass that came to nothing, such as one without credentials."""

import time
from dataclasses import dataclass

LONGEST_REST_S = 15.0


@dataclass(slots=True)
class Rest:
    """When to make a pass again: once something else is due, else less and less often.

    poll_s is the first rest; each further one is twice as long, up to `LONGEST_REST_S`.
    """

    poll_s: float
    length_s: float = 0.0
    due: int = 0
    until_s: float = 0.0

    def is_over(self, due: int) -> bool:
        """Whether a pass is worth it now, with so many due."""
        return due > 0 and (due != self.due or time.monotonic() >= self.until_s)

    def note(self, due: int, *, has_done: bool) -> None:
        """Remember how many were due before a pass, and whether it did something."""
        self.due = 0 if has_done else due
        self.length_s = 0.0 if has_done else min(max(self.length_s * 2, self.poll_s), LONGEST_REST_S)
        self.until_s = time.monotonic() + self.length_s
