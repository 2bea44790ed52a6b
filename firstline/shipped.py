"""Where the files that ship with Firstline are, in a clone and in an installed wheel."""

from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "firmware_configs"
MODELS = CONFIGS / "models"


def package_folder(named: str, base: Path) -> Path:
    """The folder of a model package: a shipped one by name, or a path relative to `base`."""
    shipped = MODELS / named
    is_name = "/" not in named and named not in ("", ".", "..")
    return shipped if is_name and shipped.is_dir() else base / named
