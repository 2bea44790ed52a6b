"""What is over, seen first or kept too long. The time is ours, not the machine's."""

import pytest
from tuf.api.metadata import DelegatedRole, Targets

from tests.integration.conformance.repository import Reader, Repository, days

pytestmark = pytest.mark.broker
ROLE = "delegated"


def delegate(repository: Repository, ends: float) -> None:
    role = DelegatedRole(ROLE, [], 1, terminating=False, paths=["delegatedpath/*"])
    repository.delegate("targets", role, Targets(expires=days(ends)))
    repository.add_target(ROLE, b"first", "delegatedpath/first")
    repository.add_target(ROLE, b"second", "delegatedpath/second")
    repository.publish(ROLE, "targets", "snapshot", "timestamp")


def test_root_expired(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.root.expires = days(-1)
    repository.publish("root", "targets", "snapshot", "timestamp")

    assert not reader.refresh()
    assert reader.versions() == {"root": 2, "timestamp": 1, "snapshot": 1, "targets": 1}


def test_timestamp_expired(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.timestamp.expires = days(-5)
    repository.publish("timestamp")

    assert not reader.refresh()
    assert reader.version("timestamp") == 1


def test_snapshot_expired(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.snapshot.expires = days(-5)
    repository.publish("snapshot", "timestamp")

    assert not reader.refresh()
    assert reader.version("snapshot") == 1


def test_targets_expired(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.targets.expires = days(-5)
    repository.publish("targets", "snapshot", "timestamp")

    assert not reader.refresh()
    assert reader.version("targets") == 1


def test_expired_metadata(repository: Repository, reader: Reader) -> None:
    repository.timestamp.expires = days(7)
    repository.publish("timestamp")
    assert reader.refresh()
    repository.timestamp.expires = days(21)
    repository.publish("targets", "snapshot", "timestamp")
    reader.now = days(18)

    assert reader.refresh()
    assert reader.versions() == {"root": 1, "timestamp": 3, "snapshot": 2, "targets": 2}


def test_delegated_targets_expired(repository: Repository, reader: Reader) -> None:
    delegate(repository, -1)

    assert reader.refresh()
    assert not reader.download("delegatedpath/first")
    assert reader.downloaded == {}
    assert ROLE not in reader.versions()


def test_expired_local_delegated_targets(repository: Repository, reader: Reader) -> None:
    delegate(repository, 7)
    assert reader.download("delegatedpath/first")
    reader.now = days(18)

    assert not reader.download("delegatedpath/second")
    assert reader.downloaded == {"delegatedpath/first": b"first"}


def test_expired_local_delegated_targets_updates(repository: Repository, reader: Reader) -> None:
    delegate(repository, 7)
    assert reader.download("delegatedpath/first")
    repository.delegated[ROLE].expires = days(21)
    repository.publish(ROLE, "snapshot", "timestamp")
    reader.now = days(18)

    assert reader.download("delegatedpath/second")
    assert reader.downloaded == {
        "delegatedpath/first": b"first",
        "delegatedpath/second": b"second",
    }
