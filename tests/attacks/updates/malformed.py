"""Timestamps that are truly signed and say what none may say, and such as are no timestamps."""

from tests.attacks.updates.forge import dated, with_timestamp
from tests.attacks.updates.forgeries import Forge, row
from tests.attacks.updates.scene import NEW_S, Scene
from tests.releases import DAY_S
from tests.retained import Files

_NESTED = b'{"signed":' + b"[" * 4000 + b"]" * 4000 + b"}"
_NO_DATE, _BACK = "no time at which", "before the last"


def _noise(data: bytes) -> Forge:
    return lambda _: {"timestamp.json": data}


def _other_role(scene: Scene) -> Files:
    """A true snapshot under the timestamp's name."""
    files = scene.files()
    return {"timestamp.json": next(files[each] for each in files if "snapshot" in each)}


def _undated(scene: Scene) -> Files:
    return with_timestamp(scene, lambda timestamp: timestamp.unrecognized_fields.clear())


def _misdated(scene: Scene) -> Files:
    return with_timestamp(scene, dated(int(NEW_S + 3650 * DAY_S)))


def _backdated(scene: Scene) -> Files:
    return with_timestamp(scene, dated(int(NEW_S - 1)))


MALFORMED = (
    row("timestamp without a date", "stolen key: leaves it out", _undated, _NO_DATE),
    row(
        "timestamp dated after its end",
        "stolen key: ten years ahead",
        _misdated,
        "no time at which",
    ),
    row("timestamp dated back", "stolen key: a new one of yesterday", _backdated, _BACK),
    row(
        "snapshot as a timestamp",
        "truly signed, of another role",
        _other_role,
        "Expected 'timestamp'",
    ),
    row("timestamp nested deeply", "8,000 brackets", _noise(_NESTED), "deserialize"),
    row("timestamp that is no JSON", "sends noise", _noise(bytes(512)), "deserialize"),
)
