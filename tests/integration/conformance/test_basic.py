"""Refreshing, and metadata that contradicts itself."""

import json

import pytest

from tests.integration.conformance.repository import Reader, Repository

pytestmark = pytest.mark.broker
FIRST = {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}


def test_basic_init_and_refresh(reader: Reader) -> None:
    assert reader.refresh()
    assert reader.asked() == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
    assert reader.versions() == FIRST


def test_implicit_refresh(reader: Reader) -> None:
    assert not reader.download("nonexistent artifact")
    assert reader.asked() == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
    assert reader.versions() == FIRST


@pytest.mark.parametrize("change", ["no version", "another signature"])
def test_invalid_and_unsigned_initial_root(reader: Reader, change: str) -> None:
    root = json.loads(reader.root)
    if change == "no version":
        del root["signed"]["version"]
    else:
        root["signatures"][0]["sig"] = "00" * 64
    reader.root = json.dumps(root).encode()

    assert not reader.refresh()
    assert reader.asked() == []


def test_timestamp_content_changes(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.timestamp.snapshot_meta.version = 100
    repository.publish_as_it_is("timestamp")

    assert reader.refresh()
    assert b'"version": 100' not in (reader.folder / "timestamp.json").read_bytes()


def test_timestamp_eq_versions_check(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    kept = (reader.folder / "timestamp.json").read_bytes()
    repository.timestamp.snapshot_meta.version = 100
    repository.publish_as_it_is("timestamp")

    reader.refresh()

    assert (reader.folder / "timestamp.json").read_bytes() == kept


def test_new_targets_hash_mismatch(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.hashes = True
    repository.publish("snapshot", "timestamp")
    assert reader.refresh()

    repository.publish("targets", "snapshot", "timestamp")
    repository.files["2.targets.json"] += b" "
    repository.bring()

    assert not reader.refresh()
    assert (reader.version("snapshot"), reader.version("targets")) == (3, 1)


def test_new_targets_version_mismatch(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    repository.publish("targets")

    assert reader.refresh()
    assert reader.versions() == FIRST


def test_new_snapshot_version_mismatch(repository: Repository, reader: Reader) -> None:
    repository.publish("snapshot", "timestamp")
    repository.files["2.snapshot.json"] = repository.files["1.snapshot.json"]
    repository.bring()

    assert not reader.refresh()
    assert reader.versions() == {"root": 1, "timestamp": 2}


def test_custom_fields(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    root = repository.root
    keyid = root.roles["root"].keyids[0]
    root.unrecognized_fields["custom-field"] = "value"
    root.keys[keyid].unrecognized_fields["extra-field"] = {"a": 1, "b": 2}
    root.roles["root"].unrecognized_fields["another-field"] = "value"
    repository.publish("root")

    assert reader.refresh()
    assert reader.version("root") == 2
