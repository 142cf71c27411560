from hypothesis import given
from hypothesis import strategies as st

from resources.supervisor.restarts import Restarts


def test_pauses_double_and_the_fifth_death_is_the_last() -> None:
    restarts = Restarts()
    assert [restarts.after_death(t) for t in (0, 2, 5, 10, 20)] == [1.0, 2.0, 4.0, 8.0, None]


def test_deaths_long_ago_are_forgotten() -> None:
    restarts = Restarts()
    for t in (0, 1, 2, 3):
        restarts.after_death(t)
    assert restarts.after_death(301.5) == 4.0  # those at 2 and 3 still count


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=40))
def test_gives_up_only_after_enough_deaths_in_one_window(times: list[float]) -> None:
    restarts, clock = Restarts(), sorted(times)
    for i, now in enumerate(clock):
        recent = [t for t in clock[: i + 1] if now - t < restarts.window_s]
        delay = restarts.after_death(now)
        assert (delay is None) == (len(recent) >= restarts.most)
        assert delay is None or 0 < delay <= restarts.longest_delay_s
