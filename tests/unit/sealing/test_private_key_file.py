"""A file of keys that others may read: logged once, shown by the doctor, private again after the next change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from resources.sealing import key_file
from resources.sealing.keeper import Keeper
from resources.sealing.key_environment import EnvironmentKeys
from resources.sealing.key_file import KEY_FILE, KeyFile
from resources.sealing.keys import encode
from resources.sealing.looks import look_at_credentials


@pytest.fixture(autouse=True)
def nothing_told_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(key_file, "_told", set())
    yield


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file with a key, as this program writes it."""
    Keeper(KeyFile(tmp_path)).sealing_key("read")
    return tmp_path / KEY_FILE


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_a_file_that_others_may_use_is_told_once_and_by_the_doctor(
    kept: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    kept.chmod(mode)
    source = KeyFile(kept.parent)
    for _ in range(2):
        secret = encode(source.load().keys[0].secret)
    (record,) = caplog.records
    assert record.levelname == "WARNING" and f"chmod 600 {kept}" in record.message
    assert secret not in caplog.text
    keys, *_ = look_at_credentials(lambda: Keeper(source), [])
    assert (keys.verdict, keys.fix) == ("warn", f"chmod 600 {kept}") and f"{mode:04o}" in keys.detail


def test_a_private_file_is_well_and_a_change_makes_it_so(
    kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = KeyFile(kept.parent)
    kept.chmod(0o600)
    assert source.load().keys and source.exposure == "" and caplog.records == []
    assert look_at_credentials(lambda: Keeper(source), [])[0].verdict == "ok"
    kept.chmod(0o644)
    Keeper(source).sealing_key("write")
    source.change(lambda ring: ring.without([ring.keys[0].id]))
    assert kept.stat().st_mode & 0o777 == 0o600 and source.exposure == ""


def test_what_is_not_there_and_what_is_no_file_are_not_exposed(tmp_path: Path) -> None:
    assert KeyFile(tmp_path).exposure == ""
    keys = EnvironmentKeys(SecretStr(f"read:{encode(bytes(32))}"))
    assert look_at_credentials(lambda: Keeper(keys), [])[0].verdict == "ok"
