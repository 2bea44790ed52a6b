"""Files that are vouched for, and others in their place."""

import pytest

from broker.wire.release import digest
from tests.integration.conformance.repository import Reader, Repository

pytestmark = pytest.mark.broker
EVIL = b"malicious data - should not download"


def add(repository: Repository, content: bytes, path: str) -> None:
    repository.add_target("targets", content, path)
    repository.publish("targets", "snapshot", "timestamp")


@pytest.mark.parametrize("path", ["target_file.txt", "path/to/a/target_file.txt"])
def test_client_downloads_expected_file_in_sub_dir(
    repository: Repository, reader: Reader, path: str
) -> None:
    add(repository, b"target file contents", path)

    assert reader.refresh()
    assert reader.downloaded == {}
    assert reader.download(path)
    assert reader.downloaded == {path: b"target file contents"}


def test_repository_substitutes_target_file(repository: Repository, reader: Reader) -> None:
    contents = {"one.txt": b"target file contents", "two.txt": b"content"}
    for path, content in contents.items():
        add(repository, content, path)
    assert reader.download("one.txt")
    for content in contents.values():
        repository.blocks[digest(content)] = EVIL
    repository.bring()

    assert not reader.download("one.txt")
    assert not reader.download("two.txt")
    assert reader.downloaded == {"one.txt": b"target file contents"}


def test_multiple_changes_to_target(repository: Repository, reader: Reader) -> None:
    for number in range(11):
        content = b"modified file contents %d" % number
        add(repository, content, "target_file.txt")
        if number % 5:
            continue
        assert reader.download("target_file.txt")
        repository.blocks[digest(content)] = EVIL
        repository.publish("targets", "snapshot", "timestamp")
        assert not reader.download("target_file.txt")
        assert reader.downloaded["target_file.txt"] == content
