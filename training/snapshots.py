"""Train `snapshot-small` and `snapshot-large`: an operator panel's numbers and trend words.

    python -m training.snapshots --data DIR --out DIR

    {"cycle": 143, "T24": 642.9, ..., "trend_T50": "rising"} -> healthy | degrading | critical

Both see the same records; they differ in depth.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.package.calibrate import Case
from broker.package.inputs import RecordInput
from broker.package.records import record_numbers
from broker.wire.payload import Record
from training import data, pack, small_nets, turbofan
from training.small_nets import Plan
from training.turbofan import CHANNELS, LABELS, Engine

DOMAIN = "engines/snapshot"
NUMBERS = ("T24", "T30", "T50", "P30", "Nf", "Nc", "Ps30", "phi", "BPR", "htBleed", "W31", "W32")
TRENDS = ("T50", "Ps30", "phi", "P30")
WORDS = ("falling", "steady", "rising")  # in this order a place is a slope's sign
FIELDS = RecordInput(("cycle", *NUMBERS), tuple((f"trend_{name}", WORDS) for name in TRENDS))
SMALL = Plan((), epochs=20)
LARGE = Plan((64, 32), members=5, epochs=15, decay=0.3, dropout=0.2)
_HISTORY = 30  # cycles behind a trend
_SETTLED = 10  # cycles before an engine's first snapshot
_SURE = 2.0  # a slope beyond so many of its standard errors is a trend
_STEP = 2  # cycles between training snapshots of an engine
_CARD = """
One maintenance snapshot of a turbofan, as an operator's panel shows it: the flight cycle, twelve
sensors (degR, psia, rpm as in `engine-small`) and, for four of them, whether they were falling,
steady or rising over the last 30 cycles. Answers healthy (more than 80 cycles remain), degrading
(30 to 80) or critical (fewer than 30).
"""
_MADE = {
    "snapshot-small": "Logistic regression on the standardized values.",
    "snapshot-large": "Five nets with two hidden layers; their probabilities are averaged.",
}


def snapshot(engine: Engine, cycle: int) -> Record:
    """Write the record that a panel would show after a cycle, counted from 0."""
    fields: dict[str, float | str] = {"cycle": float(cycle + 1)}
    for name in NUMBERS:
        fields[name] = float(engine.sensors[cycle, CHANNELS.index(name)])
    history = engine.sensors[max(0, cycle - _HISTORY + 1) : cycle + 1]
    for name in TRENDS:
        fields[f"trend_{name}"] = trend(history[:, CHANNELS.index(name)])
    return Record(fields)


def trend(values: NDArray[np.float32]) -> str:
    """Say in a word where the values (T,) go: the sign of a slope that is beyond its noise."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    scale = float(time @ time)
    slope = float(time @ values) / scale
    left = values - values.mean() - slope * time
    error = float(np.sqrt((left @ left) / max(1, len(values) - 2) / scale))
    return WORDS[1 + int(np.sign(slope)) * (abs(slope) > _SURE * error)]


def cases(engines: list[Engine], *, step: int = 1) -> list[Case]:
    """List labelled snapshots."""
    return [
        Case(snapshot(engine, cycle), engine.label(cycle))
        for engine in engines
        for cycle in range(_SETTLED, len(engine.sensors), step)
    ]


def numbers(some: list[Case]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give (N, D) inputs, prepared by the code that ships, and label numbers (N,)."""
    rows = [record_numbers(c.payload, FIELDS) for c in some if isinstance(c.payload, Record)]
    return np.concatenate(rows), np.array([LABELS.index(case.label) for case in some])


def main() -> None:
    """Cross-validate by engine, then train and pack both models."""
    given = data.arguments("Train the snapshot models.").parse_args()
    every = turbofan.engines(Path(given.data))
    training = [engine for engine in every if engine.number not in turbofan.VALIDATION]
    judged = cases([engine for engine in every if engine.number in turbofan.VALIDATION])
    for name, plan, parent in (
        ("snapshot-large", LARGE, ""),
        ("snapshot-small", SMALL, "snapshot-large"),
    ):
        right = [_accuracy(plan, *fold) for fold in turbofan.folds(training, 4)]
        print(name, "by engine, 4 folds:", np.round(right, 4), "mean", np.mean(right).round(4))
        net = small_nets.fitted(*numbers(cases(training, step=_STEP)), len(LABELS), plan)
        folder = given.out / name
        folder.mkdir(parents=True, exist_ok=True)
        small_nets.export(net, [len(FIELDS.numbers) + len(FIELDS.strings)], folder / "model.onnx")
        pack.finish(_plan(name, folder, parent), {DOMAIN: judged})


def _accuracy(plan: Plan, training: list[Engine], judged: list[Engine]) -> float:
    net = small_nets.fitted(*numbers(cases(training, step=_STEP)), len(LABELS), plan)
    x, y = numbers(cases(judged))
    return float((net.probabilities(x).argmax(axis=1) == y).mean())


def _plan(name: str, folder: Path, parent: str) -> pack.Plan:
    strings = "\n".join(f"{field} = {list(words)}" for field, words in FIELDS.strings)
    return pack.Plan(
        name=name,
        folder=folder,
        parent=parent,
        input=f'payload = "record"\nnumbers = {list(FIELDS.numbers)}\n\n[input.strings]\n{strings}',
        heads=[pack.Head(DOMAIN, "probabilities", LABELS, "labels.txt", "probabilities")],
        data=turbofan.SOURCE,
        licence=turbofan.LICENCE,
        command="python -m training.snapshots --data DIR --out DIR",
        card=_CARD + "\n" + _MADE[name],
        files=[],
    )


if __name__ == "__main__":
    main()
