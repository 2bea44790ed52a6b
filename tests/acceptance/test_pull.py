"""`firstline model pull` from a real hub on this machine: whole, resumed, refused, explained."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firstline.exits import ExitCode
from tests.hub import COMMIT, Hub, running_hub

pytestmark = pytest.mark.acceptance
CONTENT = bytes(range(256)) * 98_304  # 24 MiB: the library writes 10 MiB at a time
FILE = "hf:lab/tiny-model/onnx/model.onnx"
PATIENCE_S = 100.0
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub(Hub(files={"lab/tiny-model/onnx/model.onnx": CONTENT})) as found:
        yield found


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "firstline", "model", "pull", *words]


def around(hub: Hub, folder: Path, **more: str) -> dict[str, str]:
    """An environment in which the hub is this one, and nobody is logged in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k}
    home = {"HF_ENDPOINT": hub.address, "HF_HOME": str(folder / "home")}
    return {**kept, **home, "PYTHONPATH": str(Path(__file__).parents[2]), **more}


def pull(hub: Hub, folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*(words or (FILE,))),
        cwd=folder,
        env=around(hub, folder, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_file_comes_whole_and_the_next_command_is_told(hub: Hub, tmp_path: Path) -> None:
    done = pull(hub, tmp_path, FILE, "--out", "here", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "repo": "lab/tiny-model",
        "file": "onnx/model.onnx",
        "commit": COMMIT,
        "path": "here/model.onnx",
        "size_bytes": len(CONTENT),
        "resumed_bytes": 0,
        "sha256": SHA256,
        "checked": True,
        "next": "firstline model pack here/model.onnx",
    }
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["model.onnx"]
    assert (tmp_path / "here" / "model.onnx").read_bytes() == CONTENT
    assert {path.split("/")[1] for _, path, _ in hub.asked} == {"lab"}  # and nothing is reported
    assert done.stderr == ""  # no progress bar where nobody looks


def test_a_download_whose_process_was_killed_goes_on_where_it_stopped(
    hub: Hub, tmp_path: Path
) -> None:
    killed = half_done(hub, tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.wait(PATIENCE_S)
    left = part_bytes(tmp_path)
    hub.stall_after = None

    done = pull(hub, tmp_path)

    assert done.returncode == 0, done.stderr
    assert hub.asked[-1][2] == f"bytes={left}-"
    assert f"{left:,} bytes were there already" in done.stdout
    assert (tmp_path / "downloads" / "model.onnx").read_bytes() == CONTENT


def half_done(hub: Hub, folder: Path) -> subprocess.Popen[bytes]:
    """A command whose download has begun, and has stalled."""
    hub.stall_after = 22_000_000
    begun = subprocess.Popen(command(FILE), cwd=folder, env=around(hub, folder))
    give_up_s = time.monotonic() + PATIENCE_S
    while not part_bytes(folder):
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
    return begun


def part_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "downloads").glob(".*.part"))


def test_a_connection_that_is_cut_is_taken_up_again_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 22_000_000

    done = pull(hub, tmp_path)

    assert done.returncode == 0, done.stderr
    assert hub.asked[-1][2].startswith("bytes=")
    assert (tmp_path / "downloads" / "model.onnx").read_bytes() == CONTENT


def test_a_file_that_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    pull(hub, tmp_path)
    hub.asked.clear()

    done = pull(hub, tmp_path)

    assert done.returncode == 0, done.stderr
    assert [method for method, _, _ in hub.asked] == ["HEAD"]


def test_another_file_of_that_name_is_not_overwritten(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "model.onnx").write_bytes(b"mine")

    done = pull(hub, tmp_path)

    assert done.returncode == ExitCode.FAILURE
    assert "is there already, and is another file" in done.stderr
    assert (tmp_path / "downloads" / "model.onnx").read_bytes() == b"mine"


@pytest.mark.parametrize("said", [SHA256, "0" * 64], ids=["altered", "not the one wanted"])
def test_content_with_another_hash_is_removed(hub: Hub, tmp_path: Path, said: str) -> None:
    hub.altered = said == SHA256

    done = pull(hub, tmp_path, FILE, "--sha256", said)

    assert done.returncode == ExitCode.FAILURE
    assert "is not what was announced" in done.stderr
    assert list((tmp_path / "downloads").iterdir()) == []


REFUSALS = {
    "a file that is not there": (
        "hf:lab/tiny-model/onnx/modle.onnx",
        ExitCode.FAILURE,
        r"has no file onnx/modle.onnx (there is onnx/model.onnx)",
    ),
    "a repository that is not there": (
        "hf:lab/tiny-modle/model.onnx",
        ExitCode.FAILURE,
        "there is no repository lab/tiny-modle (there is lab/tiny-model), or it is private",
    ),
    "another form": ("tiny-model/model.onnx", ExitCode.USAGE, "not of the form hf:OWNER/NAME/FILE"),
    "an odd name": ("hf:la b/tiny/model.onnx", ExitCode.USAGE, "is no name of a repository"),
}


@pytest.mark.parametrize(("source", "code", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_not_there_is_told_with_what_is(
    hub: Hub, tmp_path: Path, source: str, code: ExitCode, message: str
) -> None:
    done = pull(hub, tmp_path, source)

    assert done.returncode == code
    assert message in done.stderr


def test_a_revision_that_is_not_there_is_told(hub: Hub, tmp_path: Path) -> None:
    done = pull(hub, tmp_path, FILE, "--revision", "v9")

    assert done.returncode == ExitCode.FAILURE
    assert "has no revision 'v9'" in done.stderr


def test_a_gated_repository_opens_with_the_token_of_the_environment(
    hub: Hub, tmp_path: Path
) -> None:
    hub.gated = {"lab/tiny-model"}

    refused = pull(hub, tmp_path)
    opened = pull(hub, tmp_path, HF_TOKEN=hub.token)

    assert refused.returncode == ExitCode.KEYS
    assert "lab/tiny-model is gated: accept its conditions" in refused.stderr
    assert opened.returncode == 0, opened.stderr


def test_a_hub_that_fails_is_told_with_its_status(hub: Hub, tmp_path: Path) -> None:
    hub.status = 503

    done = pull(hub, tmp_path)

    assert done.returncode == ExitCode.FAILURE
    assert "answered with status 503" in done.stderr


def test_a_machine_that_is_offline_is_told_so(tmp_path: Path) -> None:
    with running_hub(Hub()) as gone:
        pass

    done = pull(gone, tmp_path)

    assert done.returncode == ExitCode.FAILURE
    assert "cannot be reached: this machine is offline, or behind a proxy" in done.stderr
    assert "Traceback" not in done.stderr


def test_offline_mode_asks_nobody(hub: Hub, tmp_path: Path) -> None:
    done = pull(hub, tmp_path, HF_HUB_OFFLINE="1")

    assert done.returncode == ExitCode.FAILURE
    assert "cannot be reached" in done.stderr
    assert hub.asked == []


def test_two_do_not_fetch_the_same_file_at_once(hub: Hub, tmp_path: Path) -> None:
    first = half_done(hub, tmp_path)

    second = pull(hub, tmp_path)

    first.kill()
    first.wait(PATIENCE_S)
    assert second.returncode == ExitCode.FAILURE
    assert "another process is fetching" in second.stderr


def test_a_file_that_does_not_fit_on_the_disk_is_not_begun(hub: Hub, tmp_path: Path) -> None:
    hub.claims = 10**15

    done = pull(hub, tmp_path)

    assert done.returncode == ExitCode.FAILURE
    assert "has room for" in done.stderr
    assert [method for method, _, _ in hub.asked] == ["HEAD"]


def test_a_proxy_that_is_not_there_is_named(hub: Hub, tmp_path: Path) -> None:
    done = pull(hub, tmp_path, HTTP_PROXY="http://127.0.0.1:1")

    assert done.returncode == ExitCode.FAILURE
    assert "proxy" in done.stderr
    assert hub.asked == []
