"""A package's folder to a model that answers, whichever engine it needs.

An engine is imported only when a package asks for it: each takes tens of megabytes.
"""

from pathlib import Path

from broker.package.manifest import Manifest, load_manifest
from broker.package.model import PackageModel
from broker.package.profile import Profile


def load_package(folder: Path, *, threads: int = 1) -> PackageModel:
    """Check every file of a package and load it; `threads` is for one question.

    Raises:
        PackageError: a file is wrong, damaged, or not for its engine; or the engine is missing.
    """
    return open_package(load_manifest(folder), threads=threads)


def open_package(
    manifest: Manifest, *, threads: int = 1, profile: Profile = "fast"
) -> PackageModel:
    """Check every file of a package whose description was read, and load it.

    llama.cpp maps its weights from the file in either profile.

    Raises:
        PackageError: a file is wrong, damaged, or not for its engine; or the engine is missing.
    """
    if manifest.engine == "llama.cpp":
        from broker.package.llama import LlamaModel  # noqa: PLC0415 - see above

        return LlamaModel(manifest, threads=threads)
    from broker.package.onnx import OnnxModel  # noqa: PLC0415 - see above

    return OnnxModel(manifest, threads=threads, profile=profile)
