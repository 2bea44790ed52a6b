"""Where the files that ship with Firstline are, in a clone and in an installed wheel."""

from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "firmware_configs"
MODELS = CONFIGS / "models"
DEFAULT_LANGUAGES = ("en",)
NAMES = CONFIGS / "names"  # a folder for each language


def package_folder(named: str, base: Path) -> Path:
    """The folder of a model package: a shipped one by name, or a path relative to `base`."""
    return _folder(MODELS, named, base)


def names_folder(named: str, base: Path) -> Path:
    """The folder of a language's names: a shipped one, or a path relative to `base`."""
    return _folder(NAMES, named, base)


def _folder(shipped: Path, named: str, base: Path) -> Path:
    is_name = "/" not in named and named not in ("", ".", "..")
    return shipped / named if is_name and (shipped / named).is_dir() else base / named
