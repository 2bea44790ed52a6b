"""Every mistake in a package is told with its file, its key and what to do."""

import json
import sys
from pathlib import Path
from subprocess import run

import pytest

from broker.package.errors import DamagedFileError, ManifestError
from broker.package.files import verify_files
from broker.package.inputs import WindowInput
from broker.package.manifest import Manifest, load_manifest
from broker.wire.payload import PayloadKind
from tests.unit.package.packages import SHIPPED, brought, copy_of, edit


def test_a_brought_package_needs_no_calibration_and_no_output_name(tmp_path: Path) -> None:
    manifest = load_manifest(brought(tmp_path))

    assert manifest.name == "mine"
    assert manifest.payload is PayloadKind.WINDOW
    assert manifest.input == WindowInput(("x", "y"), 4, 100.0, (), ())
    assert [(h.domain, h.labels, h.curve) for h in manifest.heads] == [
        ("shaker/axis", ("along x", "along y"), None)
    ]


MISTAKES = {
    "a missing key": ('licence = "MIT"\n', "", r"package\.toml: licence: this key is missing"),
    "a misspelt key": ("ram_mb = 5", "ram_mbs = 5", r"toml:7: ram_mbs: .* did you mean 'ram_mb'"),
    "a misspelt input key": ("rate_hz", "rate_hx", r"toml:17: .*did you mean 'rate_hz'"),
    "two mistakes": ('version = "0.1.0"\nkind', 'version = "1"\nkinds', r"(?s)version: .*kinds: "),
    "no TOML": ("[files]", "[files", "not valid TOML"),
    "another engine": ('"onnxruntime"', '"tensorflow"', r"toml:4: engine: Input should be"),
    "a payload that is none": ('"window"', '"video"', "text.*window.*record"),
    "a path out of the folder": ('file = "mine.onnx"', 'file = "../mine.onnx"', r"toml:5: file"),
    "a file without a hash": ('"labels.txt" = "', '"other.txt" = "', r"no SHA-256 of labels\.txt"),
    "labels that are not there": ('labels = "labels.txt"', 'labels = "mine.onnx"', "mine.onnx"),
    "too few units": ("length = 4", 'units = ["g"]\nlength = 4', "units must be as many"),
    "an unknown out-of-scope label": (
        'labels = "labels.txt"\n',
        'labels = "labels.txt"\nout_of_scope = "oos"\n',
        "has no such label",
    ),
    "two heads of a domain": (
        '[[heads]]\ndomain = "shaker/axis"\nlabels = "labels.txt"\n',
        '[[heads]]\ndomain = "shaker/axis"\nlabels = "labels.txt"\n' * 2,
        "two heads have the same domain",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_the_manifest_is_explained(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    folder = brought(tmp_path)
    edit(folder, old, new)

    with pytest.raises(ManifestError, match=message):
        load_manifest(folder)


def test_a_folder_without_a_manifest_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"package\.toml does not exist"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "one entry on every line"), ("a\n\nb\n", "no empty line"), ("a\na\n", "a line twice")],
)
def test_labels_must_be_unique_lines(tmp_path: Path, content: str, message: str) -> None:
    folder = brought(tmp_path)
    (folder / "labels.txt").write_text(content, encoding="utf-8")

    with pytest.raises(ManifestError, match=message):
        load_manifest(folder)


def test_missing_labels_are_named(tmp_path: Path) -> None:
    folder = brought(tmp_path)
    (folder / "labels.txt").unlink()

    with pytest.raises(ManifestError, match=r"labels\.txt is missing"):
        load_manifest(folder)


def verify(manifest: Manifest) -> None:
    verify_files(manifest.folder, manifest.files)


def test_an_intact_package_verifies() -> None:
    manifest = load_manifest(SHIPPED / "snapshot-small")

    verify(manifest)

    assert manifest.file in dict(manifest.files)  # so the weights were among what was hashed


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    weights = bytearray((folder / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (folder / "model.onnx").write_bytes(weights)

    with pytest.raises(DamagedFileError, match=r"model\.onnx .* is not the file that was packed"):
        verify(load_manifest(folder))


def test_a_missing_weight_file_is_refused(tmp_path: Path) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    (folder / "model.onnx").unlink()

    with pytest.raises(DamagedFileError, match=r"model\.onnx is missing"):
        verify(load_manifest(folder))


def test_the_calibration_of_another_file_is_refused(tmp_path: Path) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    other = (SHIPPED / "engine-small" / "calibration.json").read_text(encoding="utf-8")
    (folder / "calibration.json").write_text(other, encoding="utf-8")

    with pytest.raises(ManifestError, match=r"fitted on another file than model\.onnx"):
        load_manifest(folder)


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        ([[0.5, 0.5], [0.4, 0.6]], "must rise in score"),
        ([[0.4, 0.6], [0.5, 0.5]], "never fall in chance"),
        ([[0.4, 1.6]], "less than or equal to 1"),
        ([], "at least 1 item"),
    ],
)
def test_a_calibration_that_is_no_rising_line_is_refused(
    tmp_path: Path, knots: list[list[float]], message: str
) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    path = folder / "calibration.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["heads"]["engines/snapshot"]["knots"] = knots
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(ManifestError, match=message):
        load_manifest(folder)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0.5, 10, 1], [0.6, 20, 2]], "must fall in score"),
        ([[0.5, 10, 1], [0.4, 9, 1]], "never in its counts"),
        ([[0.5, 10, 2], [0.4, 20, 1]], "never in its counts"),
        ([[0.5, 10, 11]], "more rows than there are"),
        ([[0.5, 10**6, 1]], "more rows than there are"),
        ([[0.5, -1, 0]], "greater than or equal to 0"),
    ],
)
def test_a_risk_table_that_contradicts_itself_is_refused(
    tmp_path: Path, table: list[list[float]], message: str
) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    path = folder / "calibration.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["heads"]["engines/snapshot"]["risk_table"] = table
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(ManifestError, match=message):
        load_manifest(folder)


def test_a_calibration_that_is_no_json_is_refused(tmp_path: Path) -> None:
    folder = copy_of("snapshot-small", tmp_path)
    (folder / "calibration.json").write_text('{\n"heads": ', encoding="utf-8")

    with pytest.raises(ManifestError, match=r"calibration\.json:2: this is not valid JSON"):
        load_manifest(folder)


def test_a_domain_that_is_not_there_is_named() -> None:
    manifest = load_manifest(SHIPPED / "commands-small")

    with pytest.raises(ManifestError, match="answers for home, assistant; it has no domain 'hmoe'"):
        manifest.head("hmoe")


def test_reading_a_manifest_imports_neither_numpy_nor_the_engine() -> None:
    code = (
        "import sys; from pathlib import Path; from broker.package.manifest import load_manifest;"
        f"load_manifest(Path({str(SHIPPED / 'commands-small')!r}));"
        "sys.exit('numpy' in sys.modules or 'onnxruntime' in sys.modules)"
    )

    done = run([sys.executable, "-c", code], cwd=SHIPPED.parents[1], check=False)

    assert done.returncode == 0
