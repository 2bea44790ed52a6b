"""`firstline model pull`: a model file from a hub, whole or not at all."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.console import JsonOption, show
from firstline.source import Source, parse_source

if TYPE_CHECKING:
    from firstline.pulling import Pulled

_MODELS = (".onnx", ".gguf")


def pull(
    source: Annotated[str, typer.Argument(metavar="hf:OWNER/NAME/FILE", help="What to fetch.")],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to put it.")] = Path("downloads"),
    revision: Annotated[
        str, typer.Option(metavar="NAME", help="A branch, tag or commit.")
    ] = "main",
    sha256: Annotated[str, typer.Option(metavar="HEX", help="It must have this hash.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Fetch a model file from Hugging Face, or a hub that HF_ENDPOINT names.

    A download that was cut goes on where it stopped. A private repository needs a token, in
    HF_TOKEN or made by `hf auth login`; it is never an argument, which others could read.
    """
    wanted = parse_source(source, revision)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when it is imported
    from firstline import pulling  # noqa: PLC0415 - huggingface_hub: 0.3 s, 30 MB

    pulled = pulling.pull(wanted, out, sha256=sha256, quiet=as_json)
    show(_document(wanted, pulled), _lines(wanted, pulled), as_json=as_json)


def _document(source: Source, pulled: "Pulled") -> dict[str, object]:
    return {
        "repo": source.repo,
        "file": source.file,
        "commit": pulled.commit,
        "path": pulled.path,
        "size_bytes": pulled.size_bytes,
        "resumed_bytes": pulled.resumed_bytes,
        "sha256": pulled.sha256,
        "checked": pulled.checked,
        "next": _next(pulled),
    }


def _lines(source: Source, pulled: "Pulled") -> Iterator[str]:
    yield f"{pulled.path}: {pulled.size_bytes:,} bytes of {source.repo} at {pulled.commit[:12]}"
    yield f"sha256 {pulled.sha256}"
    if pulled.resumed_bytes:
        yield f"{pulled.resumed_bytes:,} bytes were there already"
    if not pulled.checked:
        yield "The hub told no hash: nobody checked that this is the file. Give --sha256."
    if pulled.path.suffix in _MODELS:
        yield f"Next:  {_next(pulled)}"


def _next(pulled: "Pulled") -> str:
    return f"firstline model pack {shlex.quote(str(pulled.path))}"
