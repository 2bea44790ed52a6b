"""Roots and other roles under changing keys: the keys, how many must sign, and who signs."""

from dataclasses import dataclass

import pytest
from securesystemslib.signer import CryptoSigner

from tests.integration.conformance.repository import Reader, Repository

pytestmark = pytest.mark.broker
FIVE, OTHER_FIVE, ONE_NEW = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (0, 1, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a role, and whether a client takes it."""

    keys: tuple[int, ...]
    threshold: int
    signed_by: tuple[int, ...]
    taken: bool = True


V = Version
ROOTS = {
    "1-of-1-key-rotation": [V((1,), 1, (1,)), V((2,), 1, (2, 1)), V((2,), 1, (2,))],
    "1-of-1-key-rotation-unused-signatures": [
        V((1,), 1, (3, 1, 4)),
        V((2,), 1, (3, 2, 1, 4)),
        V((2,), 1, (3, 2, 4)),
    ],
    "3-of-5-sign-with-different-keycombos": [
        V(FIVE, 3, (0, 2, 4)),
        V(FIVE, 3, (0, 4, 1)),
        V(FIVE, 3, (0, 1, 3)),
        V(FIVE, 3, (0, 1, 3)),
    ],
    "3-of-5-one-key-rotated": [V(FIVE, 3, (0, 2, 4)), V(ONE_NEW, 3, (0, 4, 1))],
    "3-of-5-one-key-rotated-with-intermediate-step": [
        V(FIVE, 3, (0, 2, 4)),
        V(ONE_NEW, 3, (0, 2, 4, 5)),
        V(ONE_NEW, 3, (0, 4, 5)),
    ],
    "3-of-5-all-keys-rotated-with-intermediate-step": [
        V(FIVE, 3, (0, 2, 4)),
        V(OTHER_FIVE, 3, (0, 2, 4, 5, 6, 7)),
        V(OTHER_FIVE, 3, (5, 6, 7)),
    ],
    "1-of-3-threshold-increase-to-2-of-3": [V((1, 2, 3), 1, (1,)), V((1, 2, 3), 2, (1, 2))],
    "2-of-3-threshold-decrease-to-1-of-3": [
        V((1, 2, 3), 2, (1, 2)),
        V((1, 2, 3), 1, (1, 2)),
        V((1, 2, 3), 1, (1,)),
    ],
    "1-of-2-threshold-increase-to-2-of-2": [V((1,), 1, (1,)), V((1, 2), 2, (1, 2))],
    "1-of-1-key-rotation-fail-not-signed-with-old-key": [
        V((1,), 1, (1,)),
        V((2,), 1, (2, 3, 4), taken=False),
    ],
    "1-of-1-key-rotation-fail-not-signed-with-new-key": [
        V((1,), 1, (1,)),
        V((2,), 1, (1, 3, 4), taken=False),
    ],
    "3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys": [
        V(FIVE, 3, (0, 2, 4)),
        V(ONE_NEW, 3, (0, 2, 4), taken=False),
    ],
    "3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys": [
        V(FIVE, 3, (0, 2, 4)),
        V(ONE_NEW, 3, (0, 4, 5), taken=False),
    ],
    "1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached": [
        V((1, 2, 3), 1, (1,)),
        V((1, 2, 3), 2, (2,), taken=False),
    ],
    "2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-eached": [
        V((1, 2, 3), 2, (1, 2)),
        V((1, 2, 3), 1, (1,), taken=False),
    ],
}
OTHERS = {
    "1-of-1-key-rotation": V((2,), 1, (2,)),
    "1-of-1-key-rotation-unused-signatures": V((1,), 1, (3, 1, 4)),
    "1-of-1-key-rotation-fail-not-signed-with-new-key": V((2,), 1, (1, 3, 4), taken=False),
    "3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys": V(
        ONE_NEW, 3, (0, 2, 4), taken=False
    ),
    "2-of-5-one-key-signature-mising-threshold-not-reached": V(ONE_NEW, 3, (0, 4), taken=False),
    "3-of-5-sign-first-combo": V(FIVE, 3, (0, 2, 4)),
    "3-of-5-sign-second-combo": V(FIVE, 3, (0, 4, 1)),
    "3-of-5-sign-third-combo": V(FIVE, 3, (0, 1, 3)),
    "3-of-5-sign-fourth-combo": V(FIVE, 3, (1, 2, 3)),
    "3-of-5-sign-fifth-combo": V(FIVE, 3, (2, 3, 4)),
}


@pytest.fixture(scope="module")
def signers() -> list[CryptoSigner]:
    return [CryptoSigner.generate_ed25519() for _ in range(10)]


def give(repository: Repository, role: str, signers: list[CryptoSigner], given: Version) -> None:
    """Have a role be signed so."""
    told = repository.root.roles[role]
    told.keyids.clear()
    told.threshold = given.threshold
    for number in given.keys:
        repository.root.add_key(signers[number].public_key, role)
    repository.signers[role] = [signers[number] for number in given.signed_by]


@pytest.mark.parametrize("name", ROOTS)
def test_root_rotation(
    repository: Repository, reader: Reader, signers: list[CryptoSigner], name: str
) -> None:
    repository.root.version = 0
    for version in ROOTS[name]:
        give(repository, "root", signers, version)
        repository.publish("root")
    reader.root = repository.files["1.root.json"]
    last, taken = len(ROOTS[name]), ROOTS[name][-1].taken

    assert reader.refresh() == taken
    expected = repository.files[f"{last if taken else last - 1}.root.json"]
    assert (reader.folder / "root.json").read_bytes() == expected


@pytest.mark.parametrize("name", OTHERS)
def test_non_root_rotations(
    repository: Repository, reader: Reader, signers: list[CryptoSigner], name: str
) -> None:
    version = OTHERS[name]
    for role in ("timestamp", "snapshot", "targets"):
        give(repository, role, signers, version)
        repository.publish("root", "targets", "snapshot", "timestamp")

        assert reader.refresh() == version.taken
        if not version.taken:
            break
        file = "timestamp.json" if role == "timestamp" else f"{reader.version(role)}.{role}.json"
        kept = (reader.folder / f"{role}.json").read_bytes()
        assert kept == repository.files[file]
