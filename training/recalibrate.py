"""Calibrate packages again on the validation split, without training: only figures change.

python -m training.recalibrate --data DIR --out DIR_OF_PACKAGES [NAME ...]
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from broker.package.calibrate import Case
from training import data, engines, pack, snapshots, turbofan
from training.home_nlu import frames, package
from training.home_nlu.covers import LARGE, SMALL

_WRITERS = {cover.name: cover for cover in (SMALL, LARGE)}


def main() -> None:
    """Calibrate every package named, or all that are there."""
    parser = data.arguments("Calibrate packages again.")
    parser.add_argument("names", nargs="*", help="packages in --out; none: all")
    given = parser.parse_args()
    source = Path(given.data)
    known = dict(_families(source))
    for name in given.names or (*known, *_WRITERS):
        if name in _WRITERS:
            _measure(given.out, name, source)
        else:
            pack.recalibrate(given.out / name, known[name])


def _measure(out: Path, name: str, source: Path) -> None:
    """Calibrate a language model, with every figure of its card."""
    _, judged = frames.read(source)
    smaller = package.asked(out / SMALL.name, judged) if name == LARGE.name else []
    package.finish(out / name, judged, _WRITERS[name], smaller)


def _families(source: Path) -> Iterator[tuple[str, Mapping[str, Sequence[Case]]]]:
    commands = {domain: data.cases(source, domain) for domain in data.DOMAINS}
    every = turbofan.engines(source)
    judged = [engine for engine in every if engine.number in turbofan.VALIDATION]
    windows = {engines.DOMAIN: engines.cases(judged)}
    records = {snapshots.DOMAIN: snapshots.cases(judged)}
    for kind, cases in (("commands", commands), ("engine", windows), ("snapshot", records)):
        for size in ("small", "large"):
            yield f"{kind}-{size}", cases


if __name__ == "__main__":
    main()
