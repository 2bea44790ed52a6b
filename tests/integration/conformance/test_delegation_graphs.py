"""In which order roles are asked, and which ones are not; and names that no topic carries."""

from dataclasses import dataclass

import pytest
from tuf.api.metadata import DelegatedRole

from tests.integration.conformance.repository import Reader, Repository, delegated_names

pytestmark = pytest.mark.broker


@dataclass(frozen=True, slots=True)
class Edge:
    """Who vouches for whom, for which paths."""

    delegator: str
    role: str
    paths: tuple[str, ...] = ("*",)
    terminating: bool = False


def edges(*pairs: str) -> list[Edge]:
    """`T>A` is: the targets vouch for A."""
    return [
        Edge(pair[0].replace("T", "targets"), pair[2], terminating=pair.endswith("!"))
        for pair in pairs
    ]


PYTHON = ("*.py",)
GRAPHS = {
    "basic-delegation": (edges("T>A"), "A"),
    "single-level-delegations": (edges("T>A", "T>B"), "AB"),
    "two-level-delegations": (edges("T>A", "T>B", "B>C"), "ABC"),
    "two-level-test-DFS-order-of-traversal": (edges("T>A", "T>B", "A>C", "A>D"), "ACDB"),
    "three-level-delegation-test-DFS-order-of-traversal": (
        edges("T>A", "T>B", "A>C", "C>D"),
        "ACDB",
    ),
    "two-level-terminating-ignores-all-but-roles-descendants": (
        edges("T>A", "T>B", "A>C!", "A>D"),
        "AC",
    ),
    "three-level-terminating-ignores-all-but-roles-descendants": (
        edges("T>A", "T>B", "A>C!", "C>D"),
        "ACD",
    ),
    "two-level-ignores-all-branches-not-matching-paths": (
        [Edge("targets", "A", PYTHON), *edges("T>B", "A>C")],
        "B",
    ),
    "three-level-ignores-all-branches-not-matching-paths": (
        [*edges("T>A", "T>B"), Edge("A", "C", PYTHON), *edges("C>D")],
        "AB",
    ),
    "cyclic-graph": (edges("T>A", "T>B", "B>C", "C>D", "D>B"), "ABCD"),
    "two-roles-delegating-to-a-third": (edges("T>A", "T>B", "B>C", "A>C"), "ACB"),
    "two-roles-delegating-to-a-third-different-paths": (
        [*edges("T>A", "T>B", "B>C"), Edge("A", "C", PYTHON)],
        "ABC",
    ),
}


def grow(repository: Repository, graph: list[Edge]) -> None:
    """Make the roles; a topic has small letters."""
    for edge in graph:
        role = DelegatedRole(edge.role.lower(), [], 1, edge.terminating, list(edge.paths))
        repository.delegate(
            edge.delegator if edge.delegator == "targets" else edge.delegator.lower(), role
        )


@pytest.mark.parametrize("name", GRAPHS)
def test_graph_traversal(repository: Repository, reader: Reader, name: str) -> None:
    graph, visited = GRAPHS[name]
    grow(repository, graph)
    repository.publish(*repository.delegated, "targets", "snapshot", "timestamp")

    assert not reader.download("missingpath")
    most = 4  # delegations that a board follows: of its fleet's there is one
    assert list(delegated_names(reader.asked())) == list(visited.lower())[:most]


TREE = [
    Edge("targets", "A", ("*.doc", "*.md")),
    Edge("targets", "B", ("releases/*/*",)),
    Edge("B", "C", ("releases/x/*",)),
    Edge("B", "D", ("releases/y/*.zip",)),
]
FOUND = {
    "targetfile": ("targets", ""),
    "README.md": ("a", "a"),
    "releases/x/x_v1": ("c", "bc"),
    "releases/y/y_v1.zip": ("d", "bd"),
}


@pytest.mark.parametrize("path", [*FOUND, "releases/z/z_v1.zip"])
def test_targetfile_search(repository: Repository, reader: Reader, path: str) -> None:
    grow(repository, TREE)
    for each, (role, _) in FOUND.items():
        repository.add_target(role, each.encode(), each)
    repository.add_target("d", b"by D, who may not", "releases/z/z_v1.zip")
    repository.publish(*repository.delegated, "targets", "snapshot", "timestamp")
    _, visited = FOUND.get(path, ("", "b"))

    assert reader.download(path) == (path in FOUND)
    assert list(delegated_names(reader.asked())) == list(visited)


@pytest.mark.parametrize("role", ["?", "#", "/delegatedrole", "../delegatedrole"])
def test_unusual_role_name(repository: Repository, reader: Reader, role: str) -> None:
    """Unlike over HTTP, such a role does not exist: no topic carries its name."""
    repository.add_target("targets", b"found before", "there")
    repository.delegate("targets", DelegatedRole(role, [], 1, terminating=False, paths=["*"]))
    repository.publish("targets", "snapshot", "timestamp")

    assert reader.download("there")
    assert not reader.download("nonexistent target")
    assert list(delegated_names(reader.asked())) == []
    assert len(reader.versions()) == 4
    assert not list(reader.folder.parent.glob("delegatedrole*"))
