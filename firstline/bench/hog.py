"""Takes memory until the kernel ends a process for it: `python -m firstline.bench.hog EVENTS`.

EVENTS is the file in which its control group counts such ends. Exit code 1: none came. It may be
ended too, right behind another process, whose memory the kernel does not take back at once.
"""

import sys
from pathlib import Path

_STEP_BYTES = 1_048_576
_MOST = 65_536  # steps: no group that is worth trying is larger


def main() -> int:
    """Take."""
    events = Path(sys.argv[1])
    before, taken = _kills(events), []
    for _ in range(_MOST):
        taken.append(b"x" * _STEP_BYTES)
        if _kills(events) > before:
            return 0
    return 1


def _kills(events: Path) -> int:
    lines = events.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


if __name__ == "__main__":
    sys.exit(main())
