"""Calibrate packages again on the validation split, without training: only figures change.

python -m training.recalibrate --data DIR --out DIR_OF_PACKAGES [NAME ...]
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from broker.package.calibrate import Case
from broker.wire.payload import Text
from training import data, engines, pack, snapshots, turbofan
from training.home_nlu import frames


def main() -> None:
    """Calibrate every package named, or all that are there."""
    parser = data.arguments("Calibrate packages again.")
    parser.add_argument("names", nargs="*", help="packages in --out; none: all")
    given = parser.parse_args()
    known = {name: cases for family in _families(Path(given.data)) for name, cases in family}
    for name in given.names or known:
        pack.recalibrate(given.out / name, known[name])


def _families(source: Path) -> list[list[tuple[str, Mapping[str, Sequence[Case]]]]]:
    commands = {domain: data.cases(source, domain) for domain in data.DOMAINS}
    every = turbofan.engines(source)
    judged = [engine for engine in every if engine.number in turbofan.VALIDATION]
    windows = {engines.DOMAIN: engines.cases(judged)}
    records = {snapshots.DOMAIN: snapshots.cases(judged)}
    _, judged_frames = frames.read(source)
    written = {
        domain: [Case(Text(f.text), f.answer) for f in judged_frames if f.domain == domain]
        for domain in frames.DOMAINS
    }
    pairs = (("commands", commands), ("engine", windows), ("snapshot", records))
    return [
        *([(f"{kind}-{size}", cases) for size in ("small", "large")] for kind, cases in pairs),
        [("home-nlu", written), ("home-nlu-large", written)],
    ]


if __name__ == "__main__":
    main()
