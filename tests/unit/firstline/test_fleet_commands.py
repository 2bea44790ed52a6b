"""`firstline fleet`: passphrases, who is in a fleet, who no longer."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from broker.fleet import passphrase
from broker.fleet.root import open_root
from broker.wire.certificate import common_name
from broker.wire.credentials import load_device, load_worker
from firstline import cli
from firstline.exits import ExitCode

RIGHT = "correct horse"


@pytest.fixture(autouse=True)
def _cheap_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "SCRYPT_N", 2**10)
    monkeypatch.delenv("FIRSTLINE_PASSPHRASE", raising=False)


def fleet(*words: str) -> int:
    return cli.main(["fleet", *words])


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A fleet whose keys are not locked."""
    assert fleet("init", str(tmp_path / "fleet"), "--no-passphrase") == ExitCode.OK
    return str(tmp_path / "fleet")


def test_keys_without_a_passphrase_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("init", str(tmp_path), "--no-passphrase") == ExitCode.OK

    assert capsys.readouterr().err == (
        f"{tmp_path}/root.key is not locked: whoever reads it can add devices.\n"
    )
    assert open_root(tmp_path).fleet == "home"


def test_a_passphrase_comes_from_a_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "phrase").write_text(f"{RIGHT}\nanother line\n", encoding="utf-8")
    file, folder = ("--passphrase-file", str(tmp_path / "phrase")), str(tmp_path / "fleet")
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", "the wrong one")

    assert fleet("init", folder, *file) == ExitCode.OK
    assert fleet("enroll", "board-1", "--folder", "--dir", folder, *file) == ExitCode.OK
    assert fleet("enroll", "board-2", "--folder", "--dir", folder) == ExitCode.KEYS
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", RIGHT)
    assert fleet("enroll", "board-2", "--folder", "--dir", folder) == ExitCode.OK

    assert RIGHT.encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "fleet").rglob("*") if path.is_file()
    )
    assert not {"root.key", "ca.key"} & {
        path.name
        for path in (tmp_path / "fleet").rglob("*")
        if path.is_file() and b"sealed" not in path.read_bytes()
    }


REFUSED = {
    "none, and nobody to ask": (None, "no passphrase: give --passphrase-file FILE"),
    "too short": ("seven77", "too short: 8 characters at least"),
    "an empty file": ("", "too short"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_new_passphrase_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, message = REFUSED[name]
    words = ["init", str(tmp_path / "fleet")]
    if content is not None:
        (tmp_path / "phrase").write_text(content, encoding="utf-8")
        words += ["--passphrase-file", str(tmp_path / "phrase")]

    assert fleet(*words) == ExitCode.USAGE

    assert message in capsys.readouterr().err
    assert not (tmp_path / "fleet").exists()


_INIT = """
import sys
from broker.fleet import passphrase
from firstline import cli
passphrase.SCRYPT_N = 2**10  # the tries are cheap here
sys.exit(cli.main(["fleet", "init", sys.argv[1]]))
"""


def test_a_passphrase_is_asked_twice_on_a_terminal_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _INIT, str(tmp_path / "fleet")]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        shown = b""
        for _ in range(2):
            while not shown.endswith(b": "):
                shown += os.read(ours, 1000)
            os.write(ours, f"{RIGHT}\n".encode())
            shown += os.read(ours, 1)
        assert process.wait(30) == 0

    assert b"New passphrase" in shown
    assert RIGHT.encode() not in shown
    assert open_root(tmp_path / "fleet", RIGHT).fleet == "home"
    os.close(ours)
    os.close(theirs)


def test_a_fleet_and_its_devices_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "fleet"
    named, there = ("--fleet", "farm", "--pool", "barn"), ("--dir", str(folder), "--pool", "barn")

    assert fleet("init", str(folder), *named, "--no-passphrase") == ExitCode.OK
    assert fleet("enroll", "gate", "--folder", *there, "--json") == ExitCode.OK

    *people, program = capsys.readouterr().out.splitlines()
    assert people[-1].endswith(f"firstline fleet enroll DEVICE --dir {folder} --pool barn")
    told = json.loads(program)
    device, worker = load_device(Path(told["device_folder"])), load_worker(folder / "workers/barn")
    assert (device.fleet, device.device, device.pool) == ("farm", "gate", "barn")
    assert told["new_pool"] is False
    assert set(worker.roster.devices) == {"gate"}
    assert worker.roster.version == told["roster_version"] == 2


def test_a_device_is_enrolled_once(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("enroll", "gate", "--folder", "--dir", folder)

    assert [fleet(*words), fleet(*words)] == [ExitCode.OK, ExitCode.FAILURE]

    assert "is enrolled already" in capsys.readouterr().err


def test_devices_are_listed_and_revoked(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    there = ("--dir", folder)
    assert fleet("list", *there) == ExitCode.OK
    assert [fleet("enroll", name, "--folder", *there) for name in ("board-1", "board-2")] == [0, 0]
    capsys.readouterr()

    assert fleet("revoke", "board-2", *there) == ExitCode.OK
    assert fleet("list", *there) == ExitCode.OK
    assert fleet("list", *there, "--json") == ExitCode.OK

    revoked, told, copied, *people, program = capsys.readouterr().out.splitlines()
    assert revoked == "Revoked 'board-2'. Its name stays taken."
    assert told == "No broker is known of this fleet yet."
    assert copied.endswith("workers/cloud/roster.json")
    assert people[0] == "The fleet 'home', version 4 of its roster."
    assert [line.split()[0::4] for line in people[3:]] == [
        ["board-1", "enrolled"],
        ["board-2", "revoked"],
    ]
    listed = json.loads(program)["devices"]
    assert [(each["device"], each["revoked"]) for each in listed] == [
        ("board-1", False),
        ("board-2", True),
    ]
    assert all(each["certificate_end_s"] > each["since_s"] > 0 for each in listed)


def test_who_is_online_is_not_known_without_a_broker(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("list", "--online", "--dir", folder) == ExitCode.USAGE

    assert "nothing is known of a broker" in capsys.readouterr().err


def test_a_record_that_is_lost_is_a_question_mark(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("enroll", "board-1", "--folder", "--dir", folder) == ExitCode.OK
    (Path(folder) / "devices" / "board-1" / "enrolled.json").unlink()
    capsys.readouterr()

    assert fleet("list", "--dir", folder) == ExitCode.OK

    assert capsys.readouterr().out.splitlines()[-1].split() == [
        *("board-1", "?", "?", "?", "enrolled")
    ]


def test_a_host_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("init", str(tmp_path / "fleet"), "--no-passphrase", "--host", "a b")

    assert fleet(*words) == ExitCode.FAILURE

    assert "neither a host name nor an address" in capsys.readouterr().err


def test_one_more_worker_has_the_pools_keys_and_a_certificate_of_its_own(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("worker", "2", "--dir", folder)

    assert [fleet(*words), fleet(*words)] == [ExitCode.OK, ExitCode.FAILURE]

    said = capsys.readouterr()
    first, second = Path(folder) / "workers/cloud", Path(folder) / "workers/cloud.2"
    assert f"Copy to worker: {second}  " in said.out
    assert "the worker 2 of cloud is there already" in said.err
    shared = {path.name for path in first.iterdir()} - {"tls.pem", "tls.key"}
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in shared)
    assert load_worker(second).pool == "cloud"
    assert [common_name(path / "tls.pem") for path in (first, second)] == ["cloud.1", "cloud.2"]


@pytest.mark.parametrize("words", [("../evil",), ("2", "--pool", "none"), ("1",)])
def test_a_worker_that_cannot_be_is_refused(folder: str, words: tuple[str, ...]) -> None:
    before = sorted(Path(folder).rglob("*"))

    assert fleet("worker", *words, "--dir", folder) == ExitCode.FAILURE

    assert sorted(Path(folder).rglob("*")) == before


def test_the_broker_is_given_other_names(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    broker = Path(folder) / "tls" / "broker.pem"
    before = broker.read_bytes()

    assert fleet("hosts", "broker.example.org", "--dir", folder) == ExitCode.OK
    assert "for: localhost, 127.0.0.1, ::1, broker.example.org" in capsys.readouterr().out
    after = broker.read_bytes()
    assert fleet("hosts", "a b", "--dir", folder) == ExitCode.FAILURE

    assert before != after == broker.read_bytes()
