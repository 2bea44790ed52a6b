"""Windows that no engine ever flew: a mean state, a drift and noise, from stored statistics.

    python -m training.demo_windows PACKAGE [SEED]

Prints, for each remaining life, what the package says. `statistics.json` in the package has,
per channel, the mean level at some remaining lives and the noise about it; nothing else.
"""

import json
import sys
from pathlib import Path

import numpy as np

from broker.package.load import load_package
from broker.wire.payload import Window
from training.turbofan import CHANNELS, LENGTH, RATE_HZ, Engine

FILE = "statistics.json"
_REMAINING = (0, 10, 20, 30, 45, 60, 80, 100, 130, 170)  # cycles
_NEAR = 5  # cycles on either side that make one level


def write_statistics(engines: list[Engine], path: Path) -> None:
    """Store the mean level (lives, 21) and the cycle-to-cycle noise (21,) of the engines."""
    levels = []
    for remaining in _REMAINING:
        near = [
            e.sensors[max(0, len(e.sensors) - 1 - remaining - _NEAR) :][: 2 * _NEAR + 1]
            for e in engines
            if len(e.sensors) > remaining + LENGTH
        ]
        levels.append(np.concatenate(near).mean(axis=0, dtype=np.float64))
    steps = np.concatenate([np.diff(e.sensors.astype(np.float64), axis=0) for e in engines])
    content = {
        "channels": list(CHANNELS),
        "remaining": list(_REMAINING),
        "levels": np.round(levels, 4).tolist(),
        "noise": np.round(steps.std(axis=0) / np.sqrt(2), 5).tolist(),
    }
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def demo_window(path: Path, *, remaining: int, seed: int) -> Window:
    """Make a window (30, 21) that ends `remaining` cycles before failure."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    lives = np.arange(remaining + LENGTH - 1, remaining - 1, -1)
    levels = np.array(stored["levels"])
    drift = [np.interp(lives, stored["remaining"], levels[:, n]) for n in range(len(CHANNELS))]
    noise = np.random.default_rng(seed).normal(size=(LENGTH, len(CHANNELS))) * stored["noise"]
    samples = np.stack(drift, axis=1) + noise
    return Window(samples.astype("<f4").tobytes(), tuple(CHANNELS), RATE_HZ)


def main() -> None:
    """Show the package's answers along a life."""
    folder = Path(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    model = load_package(folder)
    head = model.manifest.heads[0]
    for remaining in range(130, -1, -10):
        made = demo_window(folder / FILE, remaining=remaining, seed=seed)
        found = model.answer(made, head.domain)
        chance = float(np.interp(found.score, *np.array(head.knots).T))
        print(f"{remaining:4d} cycles left: {found.answer}, chance {chance:.3f}")


if __name__ == "__main__":
    main()
