"""A model package as frozen values: what it takes, what it answers, how far it can be trusted.

    FOLDER/package.toml + labels + calibration.json -> Manifest

Reads small files only, and imports no numpy: the resident process may do it.
"""

from dataclasses import dataclass
from pathlib import Path

from broker.package.errors import ManifestError
from broker.package.heads import Head
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.wire.payload import PayloadKind

CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked package.toml and what belongs to it."""

    folder: Path
    name: str
    version: str
    kind: str
    engine: str
    file: str
    licence: str
    ram_mb: int  # that the model adds to a process with the engine loaded
    parent: str  # a larger package for the same domains, or empty
    files: tuple[tuple[str, str], ...]  # (name, SHA-256) of all that must be intact
    input: Input
    heads: tuple[Head, ...]
    training: tuple[tuple[str, str], ...]  # what a model card says, as text

    @property
    def payload(self) -> PayloadKind:
        """The payload kind that the model takes."""
        match self.input:
            case TextInput() | PromptInput():
                return PayloadKind.TEXT
            case WindowInput():
                return PayloadKind.WINDOW
            case RecordInput():
                return PayloadKind.RECORD

    def head(self, domain: str) -> Head:
        """Find the head of a domain.

        Raises:
            ManifestError: the package has no such domain.
        """
        for head in self.heads:
            if head.domain == domain:
                return head
        known = ", ".join(head.domain for head in self.heads)
        raise ManifestError(f"{self.name} answers for {known}; it has no domain {domain!r}")


def load_manifest(folder: Path) -> Manifest:
    """Read and check a package's description; weights are checked by `files.verify_files`.

    Raises:
        ManifestError: a file is missing or wrong; the message names file, line and remedy.
    """
    from broker.package.parse import parse_package  # noqa: PLC0415 - pydantic: see there

    return parse_package(folder)
