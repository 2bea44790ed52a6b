"""Texts without a sentence around them: a record's field, a channel of a sensor, a value alone."""

import random
from collections.abc import Iterator, Sequence

from training.names.samples import Sample

_THINGS = (
    *("temp", "temperature", "humidity", "pressure", "flow", "level", "speed", "rpm", "voltage"),
    *("current", "power", "energy", "torque", "vibration", "accel", "gyro", "mag", "fan", "pump"),
    *("valve", "motor", "inlet", "outlet", "bleed", "core", "oil", "fuel", "water", "air", "gas"),
    *("battery", "signal", "noise", "light", "lux", "door", "window", "alarm", "status", "mode"),
    *("state", "error", "code", "count", "cycle", "unit", "setting", "sensor", "channel", "time"),
    *("id", "name", "type", "value", "label", "note", "operator", "contact", "comment", "message"),
    *("axis", "angle", "heading", "altitude", "latitude", "longitude", "distance", "ratio", "mean"),
    *("alpha", "beta", "gamma", "delta", "theta", "phi", "omega", "lambda", "sigma", "tau"),
    *("rms", "kurtosis", "peak", "min", "max", "raw", "filtered", "target", "setpoint", "demand"),
)
_ENDS = (
    "",
    "",
    "",
    "_c",
    "_rpm",
    "_v",
    "_ms",
    "_pct",
    "_kw",
    "1",
    "2",
    "_3",
    "4",
    "_x",
    "_y",
    "_z",
)
_SAID = ("ok", "on", "off", "idle", "true", "false", "n/a", "none", "unknown", "open", "closed")
_LETTERS = "ABCDEFGHIJKLMNPRSTUVWXYZ"
_ALONE = ("PERSON", "LOCATION", "ADDRESS", "ORG")
_NAMELESS_SHARE = 0.5


def bare(made: Sequence[Sample], count: int, seed: int = 5) -> Iterator[Sample]:
    """Names that stand alone, taken from made sentences, and what machines call their things."""
    choice = random.Random(seed)  # noqa: S311
    names = [
        (sample.text[start:end], label)
        for sample in made
        for start, end, label in sample.spans
        if label in _ALONE
    ]
    for _ in range(count):
        if choice.random() < _NAMELESS_SHARE:
            yield Sample(_nameless(choice), ())
        else:
            text, label = choice.choice(names)
            yield Sample(text, ((0, len(text), label),))


def _nameless(choice: random.Random) -> str:
    words = choice.choices(_THINGS, k=choice.choice((1, 2, 2, 3)))
    forms = (
        "_".join(words) + choice.choice(_ENDS),
        "_".join(words).upper() + choice.choice(_ENDS).upper(),
        " ".join(words),
        " ".join(words).capitalize(),
        "".join(word.capitalize() for word in words),
        words[0] + "".join(word.capitalize() for word in words[1:]),
        _symbol(choice),
        _symbol(choice),
        _symbol(choice),
        choice.choice(_SAID),
        choice.choice(_SAID).upper(),
    )
    return choice.choice(forms)


def _symbol(choice: random.Random) -> str:
    """Make such as Nc, T24, Ps30, NRf, phi."""
    head = "".join(choice.choices(_LETTERS, k=choice.choice((1, 1, 1, 2))))
    tail = "".join(choice.choices(_LETTERS.lower(), k=choice.choice((0, 1, 1, 2))))
    number = str(choice.randrange(1, 60)) if choice.random() < 0.4 else ""
    symbol = head + tail + number
    return symbol if choice.random() < 0.8 else symbol.lower()
