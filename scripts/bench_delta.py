"""How long a patch is, and what applying it takes, by each method: on files of this project.

python -m scripts.bench_delta FOLDER [--json]     FOLDER/NAME/before.* after.* [adapter.*]

Each patch is made and applied in processes of their own, and the outcome is compared. Memory is the
most that applying added to a bare Python, libraries and all.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

METHODS = ("ours", "zstd --patch-from", "bsdiff", "hdiffpatch")  # as bench_delta_one has them


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {folder.name: _pair(folder) for folder in sorted(given.folder.iterdir())}
    if given.json:
        print(json.dumps(found))
        return
    for name, methods in found.items():
        print(f"{name}: {methods['full']['bytes']:,.0f} bytes")
        for method, each in methods.items():
            words = f"  {method:18} {each['share']:7.2%}"
            if "apply_mb" in each:
                words += f"   applied with {each['apply_mb']:5.0f} MiB in {each['apply_s']:.1f} s"
            print(words)


def _pair(folder: Path) -> dict[str, dict[str, float]]:
    (before,), (after,) = folder.glob("before.*"), folder.glob("after.*")
    full = after.stat().st_size
    found = {"full": {"bytes": float(full), "share": 1.0}}
    with tempfile.TemporaryDirectory() as name:
        for method in METHODS:
            patch, made = Path(name) / "patch", Path(name) / "made"
            told = _run("make", method, before, after, patch)
            told |= _run("apply", method, before, patch, made)
            if made.read_bytes() != after.read_bytes():
                raise SystemExit(f"{folder.name}: {method} makes another file")
            length = float(patch.stat().st_size)
            found[method] = {"bytes": length, "share": length / full, **told}
    for adapter in folder.glob("adapter.*"):
        length = float(adapter.stat().st_size)
        found["adapter"] = {"bytes": length, "share": length / full}
    return found


def _run(verb: str, method: str, *paths: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "scripts.bench_delta_one", verb, method, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - ours
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
