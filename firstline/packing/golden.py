"""Makes a package's golden.json: asks it in an engine child, and notes what it says and takes.

The questions are made, not taken from anybody's data: the file goes to every board.
"""

import math
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from statistics import median
from typing import Final

from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.models.child_process import PackageRefusedError
from agent.models.engine import Engine
from agent.stages import Clean
from agent.update.selftest import resident_mb
from broker.package.golden import GOLDEN_FILE, Case, Golden, golden_text
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.package.manifest import Manifest, load_manifest
from broker.package.speed import measure
from broker.wire.files import write_whole
from broker.wire.payload import Payload, Record, Text, Window

TEXTS: Final = (
    "hello",
    "turn on the lights in the kitchen",
    "wake me up at seven tomorrow morning",
    "what is the weather like this weekend",
    "play some jazz in the living room",
    "add milk and bread to my shopping list",
    "set the thermostat to twenty one degrees",
)
_CASES: Final = 8  # of all heads together
_WRITTEN: Final = 4  # the same for a language model, which takes longer
_ASKED: Final = 4  # times, each: the first warms up
_AGREE: Final = 0.75
_WRITTEN_AGREE: Final = 0.5  # a long answer may turn elsewhere where a processor rounds otherwise
_TIMEOUT_S: Final = 120.0
_HERTZ: Final = (0.05, 0.2)  # of the sampling rate: what a made window swings with
_FOR_ALL: Final = 0o644  # an agent runs as another user than the one who packs
_LONGEST: Final = 4000  # characters of an answer that is worth comparing


def write_golden(folder: Path) -> Golden | None:
    """Make and write it; None if the package answers none of the questions.

    Raises:
        PackageError: the package cannot be used.
        ModelError: its engine fails.
        OSError: the file cannot be written.
    """
    golden = make_golden(load_manifest(folder))
    if golden is not None:
        write_whole(folder / GOLDEN_FILE, golden_text(golden), mode=_FOR_ALL)
    return golden


def make_golden(manifest: Manifest) -> Golden | None:
    """Ask a package; None if it answers none of the questions.

    Raises:
        ModelError: its engine fails.
    """
    written = manifest.engine == "llama.cpp"
    with ExitStack() as last:
        engine = Engine(manifest.folder, timeout_s=_TIMEOUT_S)
        last.callback(engine.stop)
        asked = islice(blank_cases(manifest), _WRITTEN if written else _CASES)
        answered = [found for case in asked if (found := _answered(engine, case)) is not None]
        ram_mb = resident_mb(engine.pid or 0)
    if not answered:
        return None
    return Golden(
        cases=tuple(each.case for each in answered),
        agree=_WRITTEN_AGREE if written else _AGREE,
        ms=max(median(each.ms for each in answered), 0.001),
        speed=measure(),
        ram_mb=max(1, ram_mb),
        tokens_per_s=median(each.tokens * 1e3 / each.ms for each in answered),
    )


def blank_cases(manifest: Manifest) -> Iterator[Case]:
    """Questions that a package should take, without answers; the heads take turns."""
    for payload, head in product(payloads(manifest.input), manifest.heads):
        yield Case(head.domain, payload, None)


def payloads(wanted: Input) -> Iterator[Payload]:
    """Made-up inputs of a shape."""
    match wanted:
        case TextInput() | PromptInput():
            yield from (Text(text) for text in TEXTS)
        case RecordInput():
            for number in (0.0, 1.0):
                strings = {name: (*known, "")[0] for name, known in wanted.strings}
                yield Record({**dict.fromkeys(wanted.numbers, number), **strings})
        case WindowInput():
            for part in (0.0, *_HERTZ):
                yield Window(_wave(wanted, part), wanted.channels, wanted.rate_hz)


def _wave(wanted: WindowInput, part: float) -> bytes:
    """(T, C) float32: each channel a little behind the one before it; nothing at all for 0."""
    count, turn = len(wanted.channels), 2.0 * math.pi * part
    values = (math.sin(turn * (t + 0.5 * c)) for t in range(wanted.length) for c in range(count))
    return struct.pack(f"<{wanted.length * count}f", *values)


@dataclass(frozen=True, slots=True)
class _Answered:
    case: Case
    ms: float
    tokens: int


def _answered(engine: Engine, case: Case) -> _Answered | None:
    clean = Clean(case.payload)
    masked = mask(clean, MaskRules(default=FieldRule.KEEP), lambda _: ()).masked
    try:
        drafts = [engine.draft(masked, case.domain) for _ in range(_ASKED)]
    except PackageRefusedError:  # not a question for this model
        return None
    if len({draft.answer for draft in drafts}) > 1 or len(drafts[0].answer) > _LONGEST:
        return None  # what differs from one time to the next proves nothing
    found = Case(case.domain, case.payload, drafts[0].answer)
    # The best: what disturbs only slows, and the machine's speed is measured in the same way.
    return _Answered(found, min(each.elapsed_ms for each in drafts), drafts[0].tokens)
