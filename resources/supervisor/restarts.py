"""When a child that died is started again, and when that is given up: decisions only."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Restarts:
    """The deaths of one child, and what follows from them.

    Attributes:
        most: deaths within the window after which it is given up.
        window_s: length of the window in seconds.
        first_delay_s: pause after the first death in seconds; it doubles with each further one.
        longest_delay_s: the pause never gets longer than this, in seconds.
    """

    most: int = 5
    window_s: float = 300.0
    first_delay_s: float = 1.0
    longest_delay_s: float = 30.0
    deaths: list[float] = field(default_factory=list)

    def after_death(self, now: float) -> float | None:
        """Note a death; seconds to wait before the next start, or None to give up.

        Args:
            now: seconds on a clock that never goes back.

        >>> restarts = Restarts(most=3)
        >>> restarts.after_death(0.0), restarts.after_death(1.0), restarts.after_death(2.0)
        (1.0, 2.0, None)
        """
        self.deaths = [death for death in self.deaths if now - death < self.window_s] + [now]
        if len(self.deaths) >= self.most:
            return None
        doublings = len(self.deaths) - 1
        return min(self.longest_delay_s, self.first_delay_s * 2.0**doublings)

    def describe(self) -> str:
        """The rule in words.

        >>> Restarts().describe()
        'died 5 times in 5 minutes'
        """
        return f"died {self.most} times in {self.window_s / 60:.0f} minutes"
