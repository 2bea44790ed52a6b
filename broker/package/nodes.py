"""What a model takes and gives, as its file says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """An input or output of a model."""

    name: str
    kind: str  # such as tensor(float), or seq(map(string,tensor(float)))
    shape: tuple[int | None, ...]  # None: any size
