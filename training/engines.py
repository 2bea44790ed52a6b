"""Train `engine-small` and `engine-large`: 30 flight cycles of 21 sensors to an engine's state.

    python -m training.engines --data DIR --out DIR

Both see the same windows; they differ in features and width.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.package.calibrate import Case
from broker.package.inputs import WindowInput
from broker.package.windows import window_numbers
from broker.wire.payload import Window
from training import data, demo_windows, pack, small_nets, turbofan
from training.small_nets import Plan
from training.turbofan import CHANNELS, LABELS, LENGTH, RATE_HZ, UNITS, Engine

DOMAIN = "engines/turbofan"
STEP = 2  # cycles between training windows of an engine
DESIGNS = {
    "engine-large": (
        ("mean", "slope", "last_third", "deviation"),
        Plan((128, 64), members=5, epochs=40, decay=0.3, dropout=0.4, smoothing=0.05),
        "Five nets with two hidden layers; their probabilities are averaged.",
    ),
    "engine-small": (
        ("mean", "slope"),
        Plan((16,), epochs=10, decay=0.1),
        "One net with sixteen hidden units.",
    ),
}
_CARD = """
Thirty flight cycles of a turbofan's 21 sensors, one snapshot per cycle (so `rate_hz` is 1.0: one
sample per cycle). Answers healthy (more than 80 cycles remain), degrading (30 to 80) or
critical (fewer than 30).
"""


def wanted(features: tuple[str, ...]) -> WindowInput:
    """Describe the input, as the package will."""
    return WindowInput(tuple(CHANNELS), LENGTH, RATE_HZ, tuple(UNITS), features)


def cases(engines: list[Engine], *, step: int = 1) -> list[Case]:
    """List labelled windows."""
    return [
        Case(Window(window.astype("<f4").tobytes(), tuple(CHANNELS), RATE_HZ), label)
        for window, label in turbofan.windows(engines, step=step)
    ]


def numbers(
    some: list[Case], features: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give (N, D) inputs, prepared by the code that ships, and label numbers (N,)."""
    shape = wanted(features)
    rows = [window_numbers(c.payload, shape) for c in some if isinstance(c.payload, Window)]
    return np.concatenate(rows), np.array([LABELS.index(case.label) for case in some])


def main() -> None:
    """Cross-validate by engine, then train and pack both models."""
    given = data.arguments("Train the engine models.").parse_args()
    every = turbofan.engines(Path(given.data))
    training = [engine for engine in every if engine.number not in turbofan.VALIDATION]
    judged = cases([engine for engine in every if engine.number in turbofan.VALIDATION])
    for name, (features, plan, made) in DESIGNS.items():
        right = [_accuracy(features, plan, *fold) for fold in turbofan.folds(training, 4)]
        print(name, "by engine, 4 folds:", np.round(right, 4), "mean", np.mean(right).round(4))
        x, y = numbers(cases(training, step=STEP), features)
        folder = given.out / name
        folder.mkdir(parents=True, exist_ok=True)
        small_nets.export(
            small_nets.fitted(x, y, len(LABELS), plan), [x.shape[1]], folder / "model.onnx"
        )
        demo_windows.write_statistics(training, folder / demo_windows.FILE)
        parent = "" if name == "engine-large" else "engine-large"
        pack.finish(_plan(name, folder, parent, features, made), {DOMAIN: judged})


def _accuracy(
    features: tuple[str, ...], plan: Plan, training: list[Engine], judged: list[Engine]
) -> float:
    net = small_nets.fitted(*numbers(cases(training, step=STEP), features), len(LABELS), plan)
    x, y = numbers(cases(judged), features)
    return float((net.probabilities(x).argmax(axis=1) == y).mean())


def _plan(name: str, folder: Path, parent: str, features: tuple[str, ...], made: str) -> pack.Plan:
    return pack.Plan(
        name=name,
        folder=folder,
        parent=parent,
        input=(
            f'payload = "window"\nchannels = {CHANNELS}\nlength = {LENGTH}\n'
            f"rate_hz = {RATE_HZ}\nunits = {UNITS}\nfeatures = {list(features)}"
        ),
        heads=[pack.Head(DOMAIN, "probabilities", LABELS, "labels.txt", "probabilities")],
        data=turbofan.SOURCE,
        licence=turbofan.LICENCE,
        command="python -m training.engines --data DIR --out DIR",
        card=f"{_CARD}\n{made} Its numbers of each channel: {', '.join(features)}.",
        files=[demo_windows.FILE],
    )


if __name__ == "__main__":
    main()
