"""Thresholds, and keys that are counted as what they are."""

import pytest
from securesystemslib.signer import CryptoSigner, SSlibKey

from tests.integration.conformance.repository import Reader, Repository

pytestmark = pytest.mark.broker


def threshold_of_three(repository: Repository, reader: Reader) -> None:
    """Four keys for the snapshot, of which three must sign; two do not do."""
    assert reader.refresh()
    repository.root.roles["snapshot"].threshold = 3
    repository.add_key("snapshot")
    repository.publish("root", "snapshot", "timestamp")
    assert not reader.refresh()
    repository.add_key("snapshot")
    repository.add_key("snapshot")
    repository.publish("root", "snapshot", "timestamp")
    assert reader.refresh()
    assert (reader.version("root"), reader.version("snapshot")) == (3, 3)


def test_root_has_keys_but_not_snapshot(repository: Repository, reader: Reader) -> None:
    threshold_of_three(repository, reader)
    repository.root.roles["snapshot"].threshold = 5
    repository.publish("root")
    assert not reader.refresh()
    stranger = CryptoSigner.generate_ed25519().public_key
    repository.root.add_key(stranger, "snapshot")
    repository.publish("root")

    assert not reader.refresh()
    assert (reader.version("root"), reader.version("snapshot")) == (5, 3)


def test_wrong_hashing_algorithm(repository: Repository, reader: Reader) -> None:
    threshold_of_three(repository, reader)
    repository.add_key("snapshot")
    repository.root.roles["snapshot"].threshold = 5
    keyid = repository.root.roles["snapshot"].keyids[0]
    repository.root.keys[keyid].unrecognized_fields = {"keyid_hash_algorithms": ["md5"]}
    repository.publish("root", "snapshot", "timestamp")

    assert reader.refresh()
    assert (reader.version("root"), reader.version("snapshot")) == (4, 4)


def test_snapshot_threshold(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    for _ in range(4):
        repository.add_key("snapshot")
    repository.root.roles["snapshot"].threshold = 6
    repository.publish("root", "snapshot", "timestamp")

    assert not reader.refresh()
    assert reader.version("snapshot") == 1


def test_duplicate_keys_root(repository: Repository, reader: Reader) -> None:
    assert reader.refresh()
    signer = CryptoSigner.generate_ed25519()
    key: SSlibKey = signer.public_key
    for _ in range(9):
        repository.root.add_key(key, "snapshot")
    repository.add_signer("snapshot", signer)
    repository.root.roles["snapshot"].threshold = 6
    repository.publish("root", "snapshot", "timestamp")

    assert not reader.refresh()
    assert reader.version("snapshot") == 1
