import os
import signal

from resources.supervisor.requests import count_signals


def test_one_signal_asks_two_hurry_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with count_signals() as requests:
        assert not requests.is_stop
        os.kill(os.getpid(), signal.SIGTERM)
        assert (requests.is_stop, requests.is_hurry) == (True, False)
        os.kill(os.getpid(), signal.SIGINT)
        assert requests.is_hurry
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
