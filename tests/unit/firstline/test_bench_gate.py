"""`firstline bench gate`: the shipped models over sentences of our own, and over public ones."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from broker.package.manifest import load_manifest
from firstline import cli
from firstline.bench.gate import measure
from firstline.bench.pair import Pair
from firstline.exits import ExitCode
from firstline.labelled import read_labelled

OUTSIDE = "which paint dries fastest on an old garden gate"
HOME = (
    ("please wake me up at half past six tomorrow", "alarm_set"),
    ("switch the kitchen lamp off", "iot_hue_lightoff"),
    ("make me a cup of coffee", "iot_coffee"),
    ("will it rain in bergen on sunday", "weather_query"),
    ("play some jazz", "play_music"),
)
ASSISTANT = (
    ("how do i say good night in german", "translate"),
    ("set a timer for nine minutes", "timer"),
    ("flip a coin for me", "flip_coin"),
    (OUTSIDE, "oos"),
    ("who carved the mossy statue behind our library", "oos"),
)


class Floor(NamedTuple):
    """A little below what the shipped pair reaches."""

    folder: str
    ratio_at_10: float
    ratio_at_20: float
    apgr: float


FLOORS = {  # measured: 0.998, 0.998, 0.919 and 0.9997, 1.0, 0.974
    "home": Floor("hwu64", 0.990, 0.995, 0.85),
    "assistant": Floor("clinc150", 0.995, 0.998, 0.93),
}
DATA = os.environ.get("FIRSTLINE_DATA")
WITH_DATA = pytest.mark.skipif(
    DATA is None, reason="FIRSTLINE_DATA is not set: no folder with hwu64/ and clinc150/"
)


def write(path: Path, rows: tuple[tuple[str, str], ...]) -> Path:
    path.write_text("".join(f"{text},{intent}\n" for text, intent in (("text", "intent"), *rows)))
    return path


def bench(capsys: pytest.CaptureFixture[str], task: str, data: Path, *more: str) -> Any:  # noqa: ANN401 - JSON
    code = cli.main(["bench", "gate", "--task", task, "--data", str(data), "--json", *more])
    printed = json.loads(capsys.readouterr().out)
    return {**printed, "exit": code}


def test_all_figures_of_a_small_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "rows.csv", HOME * 4)

    found = bench(capsys, "home", data)

    assert found["exit"] == ExitCode.OK
    assert (found["edge"], found["cloud"]) == ("commands-small", "commands-large")
    assert (found["rows"], found["few_rows"]) == (20, True)
    assert [found[f"{who}_accuracy"] for who in ("edge", "cloud", "oracle")] == [1.0, 1.0, 1.0]
    shares = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    everything = [{"escalated": each, "accuracy": 1.0, "ratio": 1.0} for each in shares]
    assert found["points"] == found["random_points"] == everything
    assert found["apgr"] is None  # the cloud is no better here
    assert found["fixed_half"] == {"escalated": 0.0, "accuracy": 1.0, "ratio": 1.0}
    assert 0.0 < found["ece"] < 0.2
    assert 0.0 < found["edge_ms"] < found["cloud_ms"]
    assert found["out_of_scope"]["rows"] == 0
    assert found["out_of_scope"]["escalated"] is None


def test_rows_out_of_scope_are_reported_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "rows.csv", ASSISTANT * 40)

    found = bench(capsys, "assistant", data)

    assert (found["rows"], found["few_rows"]) == (120, False)
    assert found["edge_accuracy"] == 1.0
    apart = found["out_of_scope"]
    assert apart["rows"] == 80
    assert apart["escalated"] == 1.0
    edge, cloud = apart["edge_recall"], apart["cloud_recall"]
    assert apart["edge_accuracy_all"] == pytest.approx((120 + 80 * edge) / 200)
    assert apart["cloud_accuracy_all"] == pytest.approx((120 + 80 * cloud) / 200)
    assert apart["accuracy_all"] == apart["cloud_accuracy_all"]
    assert 0.4 < apart["escalated_all"] <= (80 + 40) / 200


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "rows.csv", ASSISTANT)

    assert cli.main(["bench", "gate", "--task", "assistant", "--data", str(data)]) == 0

    printed = capsys.readouterr()
    assert printed.err == ""  # a bar is for terminals
    assert printed.out.startswith("assistant: 3 rows in scope\nFewer than 100 rows")
    assert "100.0 %" in printed.out
    assert "out of scope: 2 rows" in printed.out


def test_progress_is_two_answers_for_each_row(tmp_path: Path, small: Path) -> None:
    data = write(
        tmp_path / "rows.csv", (("hello world", "high"), ("hello", "mid"), ("world", "oos"))
    )
    steps: list[int] = []

    manifest = load_manifest(small)
    rows = read_labelled(data, manifest, manifest.head("home"))
    measure(Pair("home", small, small), data, rows, steps.append)

    assert sum(steps) == 2 * 3


def test_packages_may_be_named(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "rows.csv", (("hello world", "high"), ("unknown", "mid")))

    alone = bench(capsys, "home", data, "--edge", str(small))
    found = bench(capsys, "home", data, "--edge", str(small), "--cloud", str(small))

    assert alone["error"]["message"] == "small has no parent; name the larger package with --cloud"
    assert (found["edge"], found["cloud"], found["ece"]) == ("small", "small", None)


def test_each_package_says_out_of_scope_in_its_own_way(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "rows.csv", (*[("hello", "mid")] * 10, ("hello world", "high")))
    edge = with_out_of_scope(small, "high", tmp_path / "edge")
    cloud = with_out_of_scope(small, "mid", tmp_path / "cloud")

    found = bench(capsys, "home", data, "--edge", str(edge), "--cloud", str(cloud))

    assert (found["edge_accuracy"], found["cloud_accuracy"]) == (1.0, 1.0)
    assert found["out_of_scope"] == {
        "rows": 1,
        "edge_recall": 1.0,
        "cloud_recall": 0.0,  # it answers "high", and does not mean out of scope
        "escalated": 1.0,  # though its score is above that of the others
        "edge_accuracy_all": 1.0,
        "cloud_accuracy_all": pytest.approx(10 / 11),
        "escalated_all": 1.0,  # the others are all alike
        "accuracy_all": pytest.approx(10 / 11),
    }


def with_out_of_scope(package: Path, label: str, to: Path) -> Path:
    """Copy a package, with a label that means out of scope."""
    shutil.copytree(package, to)
    path = to / "package.toml"
    head = f'domain = "home"\nout_of_scope = "{label}"'
    path.write_text(path.read_text().replace('domain = "home"', head))
    return to


@pytest.mark.parametrize(
    ("task", "edge", "code", "says"),
    [
        ("kitchen", "", ExitCode.USAGE, "no shipped task 'kitchen' takes texts; there are as"),
        ("engines/turbofan", "", ExitCode.USAGE, "takes texts; there are assistant, home"),
        ("kitchen", "commands-small", ExitCode.MODEL, "it has no domain 'kitchen'"),
        ("engines/turbofan", "engine-small", ExitCode.USAGE, "engine-small takes a window"),
        ("home", "nowhere", ExitCode.MODEL, "nowhere"),
    ],
)
def test_a_task_that_no_pair_answers_is_refused(
    task: str, edge: str, code: ExitCode, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, task, Path("rows.csv"), "--edge", edge)

    assert found["exit"] == code
    assert says in found["error"]["message"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory"),
        ("", "the file is empty"),
        ("text,class\nhello,x\n", "rows.csv:1: there is no column intent or label"),
        ("text,intent\nhello,dance\n", "rows.csv:2: commands-small has no label 'dance'"),
        ("text,intent\nhello,oos\n", "every row is out of scope"),
    ],
)
def test_a_file_that_says_nothing_is_refused(
    content: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "rows.csv"
    if content is not None:
        data.write_text(content)

    found = bench(capsys, "home", data)

    assert found["exit"] == ExitCode.FAILURE
    assert says in found["error"]["message"]


@WITH_DATA
@pytest.mark.parametrize("task", FLOORS)
def test_a_tenth_of_the_questions_buys_the_large_models_accuracy(
    task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = FLOORS[task]

    found = bench(capsys, task, Path(str(DATA)) / floor.folder / "validation.csv")

    ratios = {each["escalated"]: each["ratio"] for each in found["points"]}
    assert ratios[0.10] >= floor.ratio_at_10
    assert ratios[0.20] >= floor.ratio_at_20
    assert found["apgr"] >= floor.apgr
    assert found["ece"] <= 0.03
