"""The object store over HTTP against a local server that speaks S3: moto's, which keeps buckets in memory."""

import logging
from collections.abc import Iterator

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from rejoinder.errors import InputUnreadable
from resources.objects import ObjectStore, StoreAway, object_key, open_store_at

DATA = b"WEBVTT\n\n00:01.000 --> 00:04.000\nwhat was said\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    """A server with the bucket "raw", found as people name one: by the environment of every S3 client."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer("127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    # Its buckets outlive a server: they belong to the process.
    httpx.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-local-server")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = boto3.client("s3")
    bucket.create_bucket(Bucket="raw")
    bucket.close()
    open_store_at.cache_clear()
    yield running
    running.stop()
    open_store_at.cache_clear()


@pytest.fixture
def store(server: ThreadedMotoServer) -> ObjectStore:
    """The store in a folder of that bucket."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    return open_store_at("s3://raw/of/ours")


def _objects() -> list[str]:
    client = boto3.client("s3")
    listed = client.list_objects_v2(Bucket="raw").get("Contents", [])
    client.close()
    return [entry["Key"] for entry in listed]


def test_what_is_put_is_one_object_under_its_hash_and_comes_back(store: ObjectStore) -> None:
    key = store.put(DATA)
    assert store.put(DATA) == key
    assert _objects() == [f"of/ours/{key}"]
    assert store.get(key) == DATA


def test_an_object_that_is_gone_is_told_from_a_store_that_is_empty(store: ObjectStore) -> None:
    with pytest.raises(StoreAway, match="is its bucket there"):
        store.get(object_key(DATA))
    store.put(b"another")
    with pytest.raises(InputUnreadable, match="give it again"):
        store.get(object_key(DATA))


def test_a_damaged_object_is_found_out_and_mended_by_giving_it_again(store: ObjectStore) -> None:
    key = store.put(DATA)
    store.filesystem.pipe_file(f"{store.root}/{key}", DATA[:-1])
    with pytest.raises(InputUnreadable, match="damaged"):
        store.get(key)
    assert store.put(DATA) == key
    assert store.get(key) == DATA


def test_a_bucket_that_does_not_exist_cannot_be_written(server: ThreadedMotoServer) -> None:
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreAway, match="could not be written"):
        open_store_at("s3://nobodys-bucket").put(DATA)


def test_a_server_that_is_gone_is_away_and_back_again_serves(
    store: ObjectStore, server: ThreadedMotoServer
) -> None:
    key = store.put(DATA)
    server.stop()
    with pytest.raises(StoreAway):
        store.get(key)
    with pytest.raises(StoreAway):
        store.put(b"more")
