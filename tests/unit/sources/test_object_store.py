"""Raw input by its hash: whole or not at all, the same bytes once, damage seen when it is read."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.objects import (
    ObjectStore,
    StorageFailed,
    StoreAway,
    hash_of,
    object_key,
    open_store,
    open_store_at,
)
from resources.settings import Settings


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store_at((tmp_path / "objects").as_uri())


@pytest.fixture(params=["file", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """A folder, and a store that is not a folder, as a bucket is not."""
    return open_store_at(
        (tmp_path / "o").as_uri() if request.param == "file" else f"memory://{tmp_path.name}/o"
    )


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(data=st.binary(max_size=2_000))
def test_what_was_put_is_got(any_store: ObjectStore, data: bytes) -> None:
    key = any_store.put(data)
    assert any_store.get(key) == data
    assert any_store.put(data) == key == object_key(data)


def test_the_same_bytes_are_kept_once(store: ObjectStore, tmp_path: Path) -> None:
    for data in (b"one", b"two", b"one"):
        store.put(data)
    assert len(files_in(tmp_path)) == 2


def test_damage_is_seen_and_mended_by_giving_it_again(store: ObjectStore, tmp_path: Path) -> None:
    key = store.put(b"the words")
    path = tmp_path / "objects" / key
    path.write_bytes(b"the wordz")
    with pytest.raises(InputUnreadable, match="damaged"):
        store.get(key)
    store.put(b"the words")
    assert store.get(key) == b"the words"


def test_what_is_gone_is_named(any_store: ObjectStore) -> None:
    any_store.put(b"another")
    with pytest.raises(InputUnreadable, match="gone"):
        any_store.get(object_key(b"never put"))


def test_a_write_that_fails_leaves_nothing(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="OSError"):
        store.put(b"x" * 1000)
    assert files_in(tmp_path) == []
    monkeypatch.undo()
    assert store.get(store.put(b"x" * 1000))


def test_many_writers_of_the_same_bytes(store: ObjectStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: store.put(b"same" * 5_000), range(32)))
    assert len(keys) == 1 and len(files_in(tmp_path)) == 1
    assert store.get(keys.pop()) == b"same" * 5_000


@pytest.mark.parametrize("key", ["", "sha256/../../etc/passwd", "sha256/aa/" + "b" * 64, "sha256/ab/short"])
def test_only_keys_lead_to_files(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.get(key)


def test_a_key_tells_its_hash() -> None:
    assert hash_of(object_key(b"")).startswith("e3b0c442")


def test_the_default_is_a_folder_of_the_home(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path))
    key = store.put(b"here")
    assert (tmp_path / "objects" / key).read_bytes() == b"here"


@pytest.mark.parametrize("url", ["nonsense://bucket", "zip+what://x"])
def test_an_address_of_no_store_is_a_setting_that_is_wrong(url: str) -> None:
    with pytest.raises(ConfigInvalid, match="REJOINDER_OBJECT_STORE"):
        open_store_at(url)


def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def absent(_url: str, **_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", absent)
    with pytest.raises(ConfigInvalid) as caught:
        open_store_at("s3://bucket/without-driver")
    assert "s3fs" in str(caught.value.fix)


def test_a_store_that_holds_nothing_is_away(any_store: ObjectStore) -> None:
    """A disk that is not mounted leaves an empty folder: what was kept there is not gone."""
    with pytest.raises(StoreAway, match="mounted"):
        any_store.get(object_key(b"never put"))


def test_a_store_that_cannot_be_reached_is_away_and_one_bad_object_is_not(
    store: ObjectStore, tmp_path: Path
) -> None:
    key = store.put(b"the words")
    (tmp_path / "objects" / key).unlink()
    (tmp_path / "objects" / key).mkdir()
    with pytest.raises(StorageFailed, match="could not be read") as caught:
        store.get(key)
    assert not isinstance(caught.value, StoreAway)

    class Silent:
        def cat_file(self, _path: str) -> bytes:
            raise TimeoutError("no answer")

    with pytest.raises(StoreAway, match="TimeoutError"):
        ObjectStore(Silent(), "bucket", is_local=False).get(key)


def test_a_store_that_cannot_be_written_is_away(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file where the folder should be")
    with pytest.raises(StoreAway, match="could not be written"):
        store.put(b"x")


def test_one_folder_that_cannot_be_written_is_no_store_that_is_away(
    store: ObjectStore, tmp_path: Path
) -> None:
    """Else its inputs would be tried again for ever."""
    store.put(b"another")
    folder = tmp_path / "objects" / object_key(b"x")[:9]
    folder.write_text("a file where a folder should be, as another's folder cannot be written")
    with pytest.raises(StorageFailed, match="could not be written") as caught:
        store.put(b"x")
    assert not isinstance(caught.value, StoreAway)


def test_a_driver_that_breaks_down_is_no_store_that_is_away() -> None:
    class Odd:
        def info(self, _path: str) -> dict[str, int]:
            return {"size": 0}

        def pipe_file(self, _path: str, _data: bytes) -> None:
            raise TypeError("unexpected keyword argument")

    with pytest.raises(StorageFailed, match="TypeError") as caught:
        ObjectStore(Odd(), "bucket", is_local=False).put(b"x")
    assert not isinstance(caught.value, StoreAway)


def test_a_bucket_that_may_only_be_read_is_away() -> None:
    class ReadOnly:
        def info(self, _path: str) -> dict[str, int]:
            return {"size": 0}

        def pipe_file(self, _path: str, _data: bytes) -> None:
            raise PermissionError("Access Denied")

    with pytest.raises(StoreAway, match="PermissionError"):
        ObjectStore(ReadOnly(), "bucket", is_local=False).put(b"x")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.ETIMEDOUT, errno.ECONNREFUSED])
def test_a_store_that_takes_nothing_is_away(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store.put(b"another")

    def fail(_fd: int) -> None:
        raise OSError(number, "as the system says")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreAway):
        store.put(b"x")


def test_a_root_that_may_not_be_written_is_away(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(b"another")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageFailed) as caught:
        store.put(b"x")
    assert not isinstance(caught.value, StoreAway), "only that folder"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreAway):
        store.put(b"x")


def test_a_bucket_is_not_waited_for_without_end() -> None:
    """Time-outs that end within a step's time; s3fs is asked for none by default as short."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()  # its clients write into the options of an instance
    filesystem = open_store_at("s3://bucket/time-outs").filesystem
    assert filesystem.config_kwargs["connect_timeout"] == 5
    assert filesystem.config_kwargs["retries"] == {"max_attempts": 1}
