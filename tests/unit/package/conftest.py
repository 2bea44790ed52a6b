from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.package.llama import LlamaModel
from broker.package.manifest import load_manifest
from tests.unit.package.gguf_files import describe, write_model


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., LlamaModel]:
    """Load a package with these heads and a fresh tiny model."""

    def load(*heads: dict[str, Any], context: int = 96, **model: Any) -> LlamaModel:  # noqa: ANN401
        write_model(tmp_path / "model.gguf", **model)
        describe(tmp_path, *heads, context=context)
        return LlamaModel(load_manifest(tmp_path))

    return load
