"""`firstline gate explain`: what bounds cost in words and figures, and what cannot be kept."""

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from firstline import cli
from firstline.exits import ExitCode
from firstline.plan import plan_apart
from firstline.settings.problems import SettingsError
from firstline.shipped import MODELS

SETTINGS = """
[models.commands]
package = "commands-small"

[[tasks]]
name = "lights"
model = "commands"
domain = "home"
{bounds}
input = {{ kind = "stdin" }}
output = {{ kind = "stdout" }}
"""
LINE = 9  # of the first bound


def settings(tmp_path: Path, bounds: str) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(SETTINGS.format(bounds=bounds))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return settings(tmp_path, "")


def explained(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: ExitCode = ExitCode.OK
) -> dict[str, Any]:
    assert cli.main(["gate", "explain", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_bounds_on_error_cost_less_the_laxer_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(capsys, "assistant", "--package", "commands-small")

    assert (found["samples"], found["confidence"], found["settings"]) == (3100, 0.9, None)
    bounds = found["max_error"]
    assert [each["max_error"] for each in bounds] == [0.01, 0.02, 0.03, 0.05, 0.10]
    assert all(each["feasible"] for each in bounds)
    asked = [each["escalated"] for each in bounds]
    assert asked == sorted(asked, reverse=True)
    assert all(each["wrong"] < each["max_error"] for each in bounds)
    assert asked[-1] == found["called_out_of_scope"] > 0.03
    shares = found["max_share"]
    assert [each["max_share"] for each in shares] == [0.05, 0.10, 0.15, 0.20, 0.30]
    assert all(each["wrong"] < each["at_most"] for each in shares)


def test_the_operating_point_of_the_settings_is_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, "max_error = 0.04\nmax_share = 0.15\nconfidence = 0.95")

    assert cli.main(["gate", "explain", "lights", "--settings", str(path)]) == 0
    out = capsys.readouterr().out
    found = explained(capsys, "lights", "--settings", str(path))

    assert out.startswith("lights: answered on the device by commands-small 1.0.0, home\n")
    marked = [line for line in out.splitlines() if line.endswith("<- settings")]
    assert [line.split()[0] for line in marked] == ["4.0%", "15.0%"]
    assert "95.0% sure" in out
    point = found["settings"]
    assert (point["max_error"], point["max_share"], point["confidence"]) == (0.04, 0.15, 0.95)
    wanted = 1 - point["kept"]
    assert f"max_error wants {wanted:.1%} asked, max_share allows 15.0%" in found["notes"][0]
    assert "degraded" in found["notes"][0]


def test_a_share_alone_is_no_bound_on_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, "max_share = 0.1\nexplore = 0.0")

    found = explained(capsys, "lights", "--settings", str(path))

    assert (found["settings"]["max_error"], found["settings"]["kept"]) == (None, 0.9)
    assert found["notes"] == []
    assert plan_apart(path).tasks[0].gate.max_error is None


def test_an_infeasible_bound_is_refused_with_the_best_one_wherever_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, "max_error = 0.001")

    error = explained(capsys, "lights", "--settings", str(path), code=ExitCode.SETTINGS)["error"]

    [problem] = error["problems"]
    assert (problem["line"], problem["key"]) == (LINE, "tasks.0.max_error")
    best = float(error["message"].partition("The best bound it allows is ")[2].partition(",")[0])
    assert 0.001 < best < 0.05
    assert "8.4% had to be asked" in error["message"]
    assert cli.main(["config", "check", str(path), "--json"]) == ExitCode.SETTINGS
    checked = json.loads(capsys.readouterr().out)["error"]["problems"]
    assert problem in checked
    with pytest.raises(SettingsError, match=r"agent\.toml:9: tasks\.0\.max_error: commands-small"):
        plan_apart(path)

    feasible = settings(tmp_path, f"max_error = {best}")
    assert explained(capsys, "lights", "--settings", str(feasible))["settings"]["kept"] > 0.1


def test_a_refused_bound_still_shows_people_what_others_cost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, "max_error = 0.001")

    assert cli.main(["gate", "explain", "lights", "--settings", str(path)]) == ExitCode.SETTINGS

    printed = capsys.readouterr()
    assert "not certified: the best is" in printed.out
    assert "cannot keep at most 0.10% wrong" in printed.err


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_a_bound_of_zero_or_one_is_never_refused(tmp_path: Path, bound: float) -> None:
    (task,) = plan_apart(settings(tmp_path, f"max_error = {bound}")).tasks
    assert task.gate.max_error == bound


def old_package(tmp_path: Path, *, calibrated: bool) -> Path:
    """A copy of a shipped package whose calibration is of an earlier version, or not there."""
    folder = tmp_path / "old"
    shutil.copytree(MODELS / "commands-small", folder)
    path = folder / "calibration.json"
    content = json.loads(path.read_text())
    for head in content["heads"].values():
        del head["risk_table"]
        head.pop("scope_threshold", None)
    path.write_text(json.dumps(content))
    if not calibrated:
        path.unlink()
    return folder


@pytest.mark.parametrize(
    ("calibrated", "bounds", "says"),
    [
        (True, "", "tasks.0.max_error: the calibration of commands-small was made by an earlier"),
        (True, "max_share = 0.1", "tasks.0.max_share: the calibration of commands-small was made"),
        (False, "max_share = 0.1", "tasks.0.max_share: commands-small was never calibrated"),
    ],
)
def test_a_calibration_that_certifies_nothing_is_refused_with_the_fix(
    *, calibrated: bool, bounds: str, says: str, tmp_path: Path
) -> None:
    folder = old_package(tmp_path, calibrated=calibrated)
    path = settings(tmp_path, bounds)
    path.write_text(path.read_text().replace('"commands-small"', f'"{folder}"'))

    with pytest.raises(SettingsError) as caught:
        plan_apart(path)

    assert says in str(caught.value)
    assert f"firstline model calibrate {folder} --domain home --data FILE" in str(caught.value)


def test_a_package_that_was_never_calibrated_may_run_and_asks_everything(tmp_path: Path) -> None:
    folder = old_package(tmp_path, calibrated=False)
    path = settings(tmp_path, "")
    path.write_text(path.read_text().replace('"commands-small"', f'"{folder}"'))

    assert plan_apart(path).tasks[0].gate.max_error == 0.05


def test_what_has_no_risk_table_cannot_be_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for calibrated, why in ((True, "by an earlier version"), (False, "never calibrated")):
        folder = old_package(tmp_path / why, calibrated=calibrated)

        found = explained(capsys, "home", "--package", str(folder), code=ExitCode.MODEL)

        assert why in found["error"]["message"]
        assert f"firstline model calibrate {folder}" in found["error"]["fix"]


def test_a_curve_is_drawn_as_svg_with_the_operating_point(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, "max_error = 0.05\nmax_share = 0.2")
    drawing = tmp_path / "curve.svg"

    explained(capsys, "lights", "--settings", str(path), "--plot", str(drawing))

    root = ET.parse(drawing).getroot()  # noqa: S314 - our own file
    tags = [element.tag.rpartition("}")[2] for element in root]
    assert tags.count("circle") == 1
    assert tags.count("polyline") > 10
    words = " ".join(element.text or "" for element in root)
    for part in ("lights: commands-small", "certified, 90.0% sure", "max_error 5.0%", "1076"):
        assert part in words


def test_a_curve_is_drawn_as_png(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pytest.importorskip("PIL.Image", reason="the extra plot is not installed")
    drawing = tmp_path / "curve.png"

    explained(capsys, "home", "--package", "commands-small", "--plot", str(drawing))

    with image.open(drawing) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (720, 480))
        colours = {colour for _, colour in drawn.getcolors(1 << 20)}
    assert (0x1F, 0x77, 0xB4) in colours  # the measured line
    assert (0xD6, 0x27, 0x28) in colours  # the certified one


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["home"], ExitCode.USAGE, "either --settings FILE or --package NAME"),
        (
            ["home", "--package", "commands-small", "--plot", "x.gif"],
            ExitCode.USAGE,
            ".svg or .png",
        ),
        (["kitchen", "--package", "commands-small"], ExitCode.MODEL, "no domain 'kitchen'"),
        (["kitchen", "--settings", "AGENT"], ExitCode.USAGE, "no task 'kitchen': lights"),
    ],
)
def test_what_cannot_be_explained_is_told(
    arguments: list[str],
    code: ExitCode,
    says: str,
    path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [str(path) if each == "AGENT" else each for each in arguments]

    found = explained(capsys, *words, code=code)

    assert says in found["error"]["message"]
