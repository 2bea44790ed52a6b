"""Older versions, and how a repository gets over versions that are far ahead."""

import pytest

from tests.integration.conformance.repository import Reader, Repository

pytestmark = pytest.mark.broker
HASHES = pytest.mark.parametrize("hashes", [False, True], ids=["basic", "with hashes"])
FAR = 99_999


def test_simple_snapshot_rollback(repository: Repository, reader: Reader) -> None:
    repository.publish("snapshot", "timestamp")
    assert reader.refresh()
    reader.asked()
    repository.snapshot.version = 1
    repository.publish_as_it_is("snapshot")

    assert reader.refresh()
    assert reader.version("snapshot") == 2
    assert reader.asked() == ["2.root.json", "timestamp.json"]


def test_new_timestamp_version_rollback(repository: Repository, reader: Reader) -> None:
    repository.publish("timestamp")
    assert reader.refresh()
    repository.timestamp.version = 1
    repository.publish("timestamp", bump=False)

    assert not reader.refresh()
    assert reader.version("timestamp") == 2


@HASHES
def test_snapshot_rollback(repository: Repository, reader: Reader, *, hashes: bool) -> None:
    repository.hashes = hashes
    repository.publish("snapshot", "timestamp")
    assert reader.refresh()
    repository.snapshot.version = 1
    repository.publish("snapshot", bump=False)
    repository.publish("timestamp")

    assert not reader.refresh()
    assert (reader.version("timestamp"), reader.version("snapshot")) == (2, 2)


@HASHES
def test_targets_rollback(repository: Repository, reader: Reader, *, hashes: bool) -> None:
    repository.hashes = hashes
    repository.publish("targets")
    repository.publish("targets", "snapshot", "timestamp")
    assert reader.refresh()
    repository.targets.version = 1
    repository.publish("targets", "snapshot", "timestamp")

    assert not reader.refresh()
    assert (reader.version("snapshot"), reader.version("targets")) == (2, 3)


def test_new_timestamp_fast_forward_recovery(repository: Repository, reader: Reader) -> None:
    repository.timestamp.version = FAR
    repository.publish("timestamp", bump=False)
    assert reader.refresh()
    repository.rotate_keys("timestamp")
    repository.publish("root")
    repository.timestamp.version = 1
    repository.publish("timestamp", bump=False)

    assert reader.refresh()
    assert reader.version("timestamp") == 1


def test_new_snapshot_fast_forward_recovery(repository: Repository, reader: Reader) -> None:
    repository.snapshot.version = FAR
    repository.publish("snapshot", bump=False)
    repository.publish("timestamp")
    assert reader.refresh()
    repository.rotate_keys("snapshot")
    repository.rotate_keys("timestamp")
    repository.publish("root")
    repository.snapshot.version = 1
    repository.publish("snapshot", bump=False)
    repository.publish("timestamp")

    assert reader.refresh()
    assert reader.version("snapshot") == 1


def test_new_targets_fast_forward_recovery(repository: Repository, reader: Reader) -> None:
    repository.targets.version = FAR
    repository.publish("targets", bump=False)
    repository.publish("snapshot", "timestamp")
    assert reader.refresh()
    repository.rotate_keys("snapshot")
    repository.publish("root")
    repository.targets.version = 1
    repository.publish("targets", "snapshot", "timestamp")

    assert reader.refresh()
    assert reader.version("targets") == 2
