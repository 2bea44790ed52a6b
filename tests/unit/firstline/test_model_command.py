"""`firstline model`: any ONNX classifier becomes a package that the engine child runs."""

import json
from pathlib import Path

import pytest

from broker.package.files import verify_files
from broker.package.heads import Curve
from broker.package.manifest import load_manifest
from firstline import cli
from firstline.exits import ExitCode
from firstline.trust import answered
from tests.unit.firstline.onnx_file import write_first_tokens, write_identity


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_identity(tmp_path / "record.onnx", numbers=3)
    write_identity(tmp_path / "window.onnx", numbers=2)
    write_first_tokens(tmp_path / "text.onnx", labels=3)
    (tmp_path / "labels.txt").write_text("low\nmid\nhigh\n")
    (tmp_path / "two.txt").write_text("calm\nwild\n")
    (tmp_path / "pieces.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nworld\n")
    return tmp_path


def pack(files: Path, kind: str, *more: str, labels: str = "labels.txt") -> int:
    words = ["--name", kind, "--domain", f"home/{kind}", "--labels", str(files / labels)]
    place = ["--payload", kind, "--out", str(files / "packages" / kind)]
    return cli.main(["model", "pack", str(files / f"{kind}.onnx"), *words, *place, *more])


def pack_text(files: Path, *more: str) -> int:
    return pack(files, "text", "--vocabulary", str(files / "pieces.txt"), *more)


def test_a_text_model_is_packed_shown_and_asked(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack_text(files, "--json", "--out-of-scope", "low", "--licence", "CC0-1.0") == 0
    packed = json.loads(capsys.readouterr().out)
    folder = files / "packages" / "text"
    manifest = load_manifest(folder)
    verify_files(manifest.folder, manifest.files)
    assert (packed["name"], packed["tried"]["answer"], packed["calibrated"]) == (
        "text",
        "mid",
        False,
    )
    assert "asks the cloud for every answer" in packed["note"]
    assert manifest.ram_mb == packed["ram_mb"] > 1
    assert manifest.licence == "CC0-1.0"
    assert manifest.heads[0].out_of_scope == "low"

    question = ["ask", "hello world bob@example.org", "--package", str(folder)]
    assert cli.main([*question, "--domain", "home/text"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("high bob@example.org\n")
    assert out.endswith("would ask the cloud: not sure enough\n")

    assert cli.main(["model", "show", str(folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["heads"] == [
        {"domain": "home/text", "labels": 3, "out_of_scope": "low", "calibration": None}
    ]


def test_a_record_model_is_packed(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = ["--number", "speed", "--number", 'odd "name"', "--string", "mode=off,on"]

    assert pack(files, "record", *fields) == 0

    assert "Tried: 'low'" in capsys.readouterr().out
    wanted = load_manifest(files / "packages" / "record").input
    assert wanted.numbers == ("speed", 'odd "name"')  # type: ignore[union-attr]
    assert wanted.strings == (("mode", ("off", "on")),)  # type: ignore[union-attr]


def test_a_window_model_is_packed(files: Path) -> None:
    shape = ["--channel", "x", "--length", "4", "--rate-hz", "10", "--unit", "g"]
    features = ["--feature", "rms", "--feature", "kurtosis"]

    assert pack(files, "window", *shape, *features, labels="two.txt") == 0

    wanted = load_manifest(files / "packages" / "window").input
    assert (wanted.channels, wanted.length) == (("x",), 4)  # type: ignore[union-attr]
    assert wanted.features == ("rms", "kurtosis")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("text", (), "--vocabulary"),
        ("record", (), "--number"),
        ("record", ("--string", "mode"), "FIELD=A,B"),
        ("window", (), "--channel"),
    ],
)
def test_an_incomplete_description_is_a_usage_error(
    files: Path, kind: str, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(files, kind, *more) == ExitCode.USAGE

    assert message in capsys.readouterr().err


def test_a_description_that_does_not_fit_the_model_leaves_nothing_behind(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "two.txt").write_text("calm\nwild\n")
    shape = ["--channel", "x", "--length", "4", "--rate-hz", "10", "--feature", "rms"]

    assert pack(files, "window", *shape, labels="two.txt") == ExitCode.MODEL

    assert "does [input] describe this model?" in capsys.readouterr().err
    assert list((files / "packages").iterdir()) == []


def test_labels_that_do_not_fit_the_model_are_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = ["--number", "a", "--number", "b", "--number", "c"]

    assert pack(files, "record", *fields, labels="two.txt") == ExitCode.MODEL

    assert "2 labels" in capsys.readouterr().err


def test_half_a_gguf_file_is_refused(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "text.onnx").write_bytes(b"GGUF\x03" + bytes(3))

    assert pack_text(files) == ExitCode.MODEL

    assert "is cut short" in capsys.readouterr().err


def test_a_package_is_never_overwritten(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack_text(files) == 0

    assert pack_text(files) == ExitCode.FAILURE

    assert "is not empty" in capsys.readouterr().err


def test_list_tells_each_package_and_which_is_broken(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack_text(files)
    folder = str(files / "packages")
    capsys.readouterr()

    assert cli.main(["model", "list", folder]) == 0
    assert "text  1.0.0    text     home/text" in capsys.readouterr().out

    (files / "packages" / "broken").mkdir()
    (files / "packages" / "broken" / "package.toml").write_text("name = 'broken'")
    assert cli.main(["model", "list", folder, "--json"]) == ExitCode.MODEL
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["packages"]}
    assert rows["text"]["state"] == "ok"
    assert "this key is missing" in rows["broken"]["state"]


def test_list_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", "list", str(tmp_path)]) == 0

    assert capsys.readouterr().out == f"no model packages in {tmp_path}\n"


def test_show_refuses_an_altered_package(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_text(files)
    folder = files / "packages" / "text"
    (folder / "model.onnx").write_bytes(b"other")

    assert cli.main(["model", "show", str(folder)]) == ExitCode.MODEL

    assert "is not the file that was packed" in capsys.readouterr().err


def test_show_tells_the_price_of_each_risk(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_text(files)
    folder = files / "packages" / "text"
    weights = dict(load_manifest(folder).files)["model.onnx"]
    curve = {
        "method": "isotonic",
        "score": "max_probability",
        "knots": [[0.0, 0.1], [1.0, 0.99]],
        "samples": 400,
        "ece": 0.012,
        "risk_coverage": [[0.3, 0.0], [0.6, 0.02], [1.0, 0.08]],
    }
    (folder / "calibration.json").write_text(
        json.dumps({"weights_sha256": weights, "heads": {"home/text": curve}})
    )
    capsys.readouterr()

    assert cli.main(["model", "show", str(folder)]) == 0

    out = capsys.readouterr().out
    assert "calibrated on 400 samples, calibration error 0.012" in out
    assert "its surest 30% of answers are at most 1% wrong" in out
    assert "its surest 60% of answers are at most 2% wrong" in out
    assert "its surest 100% of answers are at most 10% wrong" in out


def test_a_risk_that_no_share_keeps_answers_nothing() -> None:
    assert answered(Curve((), 1, 0.0, ((0.5, 0.2),)), 0.1) == 0.0
