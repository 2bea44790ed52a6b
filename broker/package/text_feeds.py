"""A text to what its model takes: token ids with their mask and types, or the text itself.

    "wake me" -> input_ids [[101, 5256, 2033, 102]], attention_mask [[1, 1, 1, 1]],
                 token_type_ids [[0, 0, 0, 0]]

A model with a fixed number of tokens gets padding, which the mask hides. A model that never saw a
placeholder reads common words in its place, as its package says: "call smith".
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import InputMismatchError, ManifestError
from broker.package.files import read_lines
from broker.package.inputs import TextInput
from broker.package.nodes import Node
from broker.package.text_roles import IDS, MASK, ROLES, TYPES
from broker.package.tokenize import Tokens, WordPiece
from broker.wire.payload import Payload, Text

Found = tuple[dict[str, NDArray[Any]], bool]  # tensors by name, truncated


class Tokenizer(Protocol):
    """Cuts a text into ids."""

    padding: int  # the id that stands for nothing

    def encode(self, text: str) -> Tokens:
        """Cut a text into at most so many ids as it was made for."""


def text_preparation(
    wanted: TextInput, folder: Path, nodes: Sequence[Node]
) -> Callable[[Payload], Found]:
    """How a text becomes the inputs of a loaded model.

    Raises:
        ManifestError: [input] does not describe this model.
    """
    said = _words(wanted)
    if wanted.tokenizer == "none":
        return _whole(nodes, said)
    roles = _roles(nodes)
    length = _fixed_length(nodes)
    tokenizer = _tokenizer(wanted, folder, min(wanted.max_tokens, length or wanted.max_tokens))

    def prepare(payload: Payload) -> Found:
        tokens = tokenizer.encode(said(payload))
        gap = max(0, (length or 0) - len(tokens.ids))
        rows = {
            IDS: [*tokens.ids, *[tokenizer.padding] * gap],
            MASK: [*[1] * len(tokens.ids), *[0] * gap],
            TYPES: [0] * (len(tokens.ids) + gap),
        }
        arrays = {role: np.array([row], dtype=np.int64) for role, row in rows.items()}
        return {name: arrays[role] for name, role in roles.items()}, tokens.truncated

    return prepare


def _whole(nodes: Sequence[Node], said: Callable[[Payload], str]) -> Callable[[Payload], Found]:
    if len(nodes) != 1 or nodes[0].kind != "tensor(string)":
        told = ", ".join(f"{node.name} {node.kind}" for node in nodes)
        raise ManifestError(f'tokenizer "none" is for a model that takes a string, not {told}')
    name = nodes[0].name
    return lambda payload: ({name: np.array([[said(payload)]], dtype=np.object_)}, False)


def _roles(nodes: Sequence[Node]) -> dict[str, str]:
    if len(nodes) == 1:
        return {nodes[0].name: IDS}
    roles = {node.name: ROLES.get(node.name.lower(), "") for node in nodes}
    unknown = [name for name, role in roles.items() if not role]
    if unknown or len(set(roles.values())) < len(roles):
        raise ManifestError(
            f"what is {', '.join(unknown or roles)} of the model? For texts its inputs are called "
            f"{', '.join(sorted(ROLES))}, one of each kind; rename them in the exporter"
        )
    return roles


def _fixed_length(nodes: Sequence[Node]) -> int | None:
    """How many tokens the model insists on."""
    sizes = {node.shape[1] for node in nodes if len(node.shape) > 1} - {None}
    return max((size for size in sizes if size), default=None)


def _tokenizer(wanted: TextInput, folder: Path, max_tokens: int) -> Tokenizer:
    path = folder / wanted.vocabulary
    if wanted.tokenizer == "tokenizer.json":
        from broker.package.subwords import Subwords  # noqa: PLC0415 - 8 MiB, for those who use it

        return Subwords(path, max_tokens=max_tokens)
    try:
        return WordPiece(read_lines(path), max_tokens=max_tokens)
    except ValueError as error:
        raise ManifestError(f"{path}: {error}") from error


def _words(wanted: TextInput) -> Callable[[Payload], str]:
    """How a payload's words are read, placeholders by what stands for them."""
    if not wanted.stand_ins:
        return _text
    stand_ins = dict(wanted.stand_ins)
    placeholder = re.compile(rf"<({'|'.join(stand_ins)})_[0-9]{{1,9}}>")
    return lambda payload: placeholder.sub(lambda found: stand_ins[found[1]], _text(payload))


def _text(payload: Payload) -> str:
    if not isinstance(payload, Text):
        raise InputMismatchError("the model takes a text")
    return payload.text
