"""What lies in files and arrives at inputs, written by whoever can write there."""

import shutil
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from agent.core.clean import Expectation, clean
from agent.core.errors import FinderError, ImageError, InputError
from agent.core.find.lexicon import Lexicon, LexiconError
from agent.core.image import strip
from agent.models import names
from agent.models.names import NamesError
from agent.models.pipe import read_frame, write_frame
from agent.stages import Raw
from broker.fleet.errors import FleetError
from broker.fleet.passphrase import lock, unlock
from broker.package.errors import EngineError, ManifestError
from broker.package.manifest import load_manifest
from broker.wire.certificate import common_name
from broker.wire.credentials import load_device, load_worker
from broker.wire.errors import KeyFileError
from broker.wire.payload import PayloadKind
from broker.wire.tls import CERTIFICATE
from firstline.packing.gguf_file import read_gguf
from firstline.packing.onnx_file import read_onnx
from firstline.settings import references
from firstline.settings.problems import SettingsError
from firstline.shipped import names_folder, package_folder
from tests.asker import make_fleet
from tests.fuzz.target import Target, in_file
from tests.unit.core.pictures import KINDS, full
from tests.unit.package.gguf_files import write_model
from tests.unit.package.strangers import BROUGHT

_DEMO = Path(__file__).parents[2] / "firmware_configs" / "demo"
_INPUTS = {
    PayloadKind.TEXT: (b"Turn on the light.\n", "Ruf Jörg an\u200b".encode()),
    PayloadKind.RECORD: (b'{"speed": 80, "mode": "on", "a": {"b": [1, 2]}}',),
    PayloadKind.WINDOW: (
        b"# rate_hz: 10\ntime,x,y\n0,1,2\n0.1,3,4\n",
        b'{"rate_hz": 10, "channels": ["x"], "samples": [[1.5], [2]]}',
    ),
}


def file_targets(folder: Path) -> Mapping[str, Target]:
    """Parsers of files and inputs, with the files in a folder of their own."""
    return {
        **_inputs(),
        **_packages(folder),
        **_keys(folder),
        "settings": Target(
            in_file(folder / "settings.toml", references.read),
            (SettingsError,),
            tuple((_DEMO / name).read_bytes() for name in ("agent.toml", "worker.toml")),
        ),
        "ONNX file": Target(
            in_file(folder / "model.onnx", read_onnx),
            (EngineError,),
            tuple(path.read_bytes() for path in sorted(BROUGHT.glob("*.onnx"))),
        ),
        "GGUF file": Target(
            in_file(folder / "model.gguf", read_gguf), (EngineError,), _gguf(folder)
        ),
        "image": Target(strip, (ImageError,), tuple(full(kind) for kind in KINDS)),
        "engine child": Target(
            lambda data: read_frame(BytesIO(data)), (ValueError, EOFError), (_frame(),)
        ),
    }


def _inputs() -> dict[str, Target]:
    def target(kind: PayloadKind, seeds: tuple[bytes, ...]) -> Target:
        expect = Expectation(kind, max_bytes=100_000)
        return Target(
            lambda data: clean(Raw("task", "a", data), expect), (InputError, FinderError), seeds
        )

    return {f"{kind} input": target(kind, seeds) for kind, seeds in _INPUTS.items()}


def _packages(folder: Path) -> dict[str, Target]:
    language = names_folder("en", folder) / names.DESCRIPTION
    (folder / "names").mkdir()

    def described(path: Path) -> object:
        return names._hashes(path.parent)

    return {
        name: _of_package(folder / name, name) for name in ("package.toml", "calibration.json")
    } | {
        "names.toml": Target(
            in_file(folder / "names" / names.DESCRIPTION, described),
            (NamesError,),
            (language.read_bytes(),),
        ),
        "lexicon": Target(Lexicon, (LexiconError,), (b"FLX1" + bytes(4), b"FLX1\1" + bytes(9))),
    }


def _of_package(folder: Path, name: str) -> Target:
    shutil.copytree(package_folder("commands-small", folder), folder)
    path = folder / name
    whole = path.read_bytes()
    return Target(in_file(path, lambda _: load_manifest(folder)), (ManifestError,), (whole,))


def _keys(folder: Path) -> dict[str, Target]:
    fleet = make_fleet(folder / "fleet")
    fleet.enroll("board-1")
    device, worker = fleet.folder / "devices/board-1", fleet.worker_folder
    certificate = (device / CERTIFICATE).read_bytes()
    locked = lock("root.key", bytes(32), "wrong")
    return {
        "device's keys": _one_of(device, load_device),
        "worker's keys": _one_of(worker, load_worker),
        "certificate": Target(
            in_file(folder / "tls.pem", common_name), (KeyFileError,), (certificate,)
        ),
        # Without a passphrase, since each try with one is made to take long.
        "locked key": Target(
            lambda data: unlock("root.key", data, None), (FleetError,), (locked, bytes(32))
        ),
    }


def _one_of(folder: Path, load: Callable[[Path], object]) -> Target:
    """Damage one file of a folder of keys; the first byte says which."""
    files = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    paths = list(files)

    def read(data: bytes) -> None:
        path = paths[data[0] % len(paths) if data else 0]
        path.write_bytes(data[1:])
        try:
            load(folder)
        finally:
            path.write_bytes(files[path])

    seeds = tuple(bytes([place]) + files[path] for place, path in enumerate(paths))
    return Target(read, (KeyFileError,), seeds)


def _gguf(folder: Path) -> tuple[bytes, ...]:
    write_model(folder / "seed.gguf")
    return ((folder / "seed.gguf").read_bytes(),)


def _frame() -> bytes:
    stream = BytesIO()
    write_frame(stream, {"label": "on", "confidence": 0.5}, b"1234")
    return stream.getvalue()
