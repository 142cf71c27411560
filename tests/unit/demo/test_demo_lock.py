"""One demo at a time in a home, and none beside `up`."""

from pathlib import Path

import pytest

from rejoinder.errors import ConfigInvalid
from resources.demo.lock import only_demo, refuse_beside_demo
from resources.supervisor.record import only_supervisor


def test_a_second_demo_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with only_demo(tmp_path), pytest.raises(ConfigInvalid, match="A demo runs already"), only_demo(tmp_path):
        pass
    with only_demo(tmp_path):  # the first one's end let go of it
        pass


def test_a_demo_and_up_refuse_each_other(tmp_path: Path) -> None:
    refuse_beside_demo(tmp_path / "nothing there yet")
    with only_supervisor(tmp_path), pytest.raises(ConfigInvalid, match="rejoinder down"), only_demo(tmp_path):
        pass
    with only_demo(tmp_path), pytest.raises(ConfigInvalid, match="A demo runs"):
        refuse_beside_demo(tmp_path)
    refuse_beside_demo(tmp_path)
