"""`firstline install` below another root: what it puts there, twice, and what it takes away."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from firstline import cli
from firstline.exits import CommandError, ExitCode
from firstline.installing import system
from firstline.shipped import CONFIGS

COMMAND = "/opt/firstline/bin/firstline"
UNIT = "etc/systemd/system/firstline-agent.service"
WORST_EXPOSURE = 3.0  # of 10, as systemd-analyze judges it

needs_sysusers = pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None, reason="there is no systemd-sysusers here"
)


def run(
    capsys: pytest.CaptureFixture[str], verb: str, root: Path, *more: str
) -> tuple[int, Mapping[str, str]]:
    """A command's exit code, and what it did where."""
    words = [verb, "--root", str(root), *more, "--json"]
    if verb == "install":
        words += ["--command", COMMAND]
    code = cli.main(words)
    told = json.loads(capsys.readouterr().out)
    return code, {step["place"]: step["what"] for step in told["steps"]}


def files(root: Path) -> Mapping[str, bytes]:
    """Every file below a root that is the service's."""
    paths = (path for path in root.rglob("*") if path.is_file() and "firstline" in str(path))
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


@needs_sysusers
@pytest.mark.parametrize("service", [(), ("--worker",)], ids=["agent", "worker"])
def test_installing_twice_is_as_installing_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service: tuple[str, ...]
) -> None:
    code, first = run(capsys, "install", tmp_path, *service)
    before = files(tmp_path)

    again, second = run(capsys, "install", tmp_path, *service)

    assert (code, again) == (0, 0)
    assert set(first.values()) == {"made"}
    assert set(second.values()) == {"unchanged"}
    assert files(tmp_path) == before
    assert "firstline:" in (tmp_path / "etc/passwd").read_text()


def test_a_dry_run_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, steps = run(capsys, "install", tmp_path / "new", "--dry-run")

    assert code == 0
    assert set(steps.values()) == {"made"}
    assert not (tmp_path / "new").exists()


@needs_sysusers
def test_what_the_operator_edited_stays_and_what_is_ours_is_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "install", tmp_path, "--board", "raspberry-pi-4")
    settings = tmp_path / "etc/firstline/agent.toml"
    settings.write_text("# mine\n")
    (tmp_path / UNIT).write_text("# old\n")

    _, steps = run(capsys, "install", tmp_path, "--board", "raspberry-pi-zero-2-w")

    assert settings.read_text() == "# mine\n"
    assert steps["/etc/firstline/agent.toml"] == "kept"
    assert steps[f"/{UNIT}"] == "changed"
    assert "MemoryMax=256M" in (tmp_path / f"{UNIT}.d/board.conf").read_text()


@needs_sysusers
def test_keys_are_roots_alone_and_settings_everybodys_whatever_the_umask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o077)
    try:
        run(capsys, "install", tmp_path)
    finally:
        os.umask(before)

    assert (tmp_path / "etc/firstline").stat().st_mode & 0o777 == 0o755

    assert (tmp_path / "etc/firstline/keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/firstline/agent.toml").stat().st_mode & 0o777 == 0o644


@needs_sysusers
def test_uninstalling_leaves_what_is_the_operators(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "install", tmp_path)
    (tmp_path / "etc/firstline/keys/device.json").write_text("{}")

    code, steps = run(capsys, "uninstall", tmp_path)
    assert code == 0
    assert steps["/etc/firstline/keys"] == "left"
    assert not (tmp_path / UNIT).exists()
    assert not (tmp_path / f"{UNIT}.d").exists()
    assert (tmp_path / "etc/firstline/keys/device.json").exists()

    _, steps = run(capsys, "uninstall", tmp_path, "--purge")
    assert steps["/etc/firstline/keys"] == "removed"
    assert not (tmp_path / "etc/firstline").exists()

    _, steps = run(capsys, "uninstall", tmp_path, "--purge")
    assert steps == {}


@needs_sysusers
def test_purging_the_agent_leaves_the_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "install", tmp_path)
    run(capsys, "install", tmp_path, "--worker")

    run(capsys, "uninstall", tmp_path, "--purge")
    assert (tmp_path / "etc/firstline/worker.toml").exists()

    _, steps = run(capsys, "uninstall", tmp_path, "--purge", "--worker")
    assert steps["/etc/firstline"] == "removed"


def test_cloud_init_says_what_the_commands_understand() -> None:
    text = (CONFIGS / "cloud-init" / "user-data").read_text()
    document = yaml.safe_load(text)

    assert text.startswith("#cloud-config\n")
    ours = [words[1:] for words in document["runcmd"] if words[0] == COMMAND]
    assert [words[0] for words in ours] == ["install", "join"]
    for verb, *words in ours:
        command = cli.Stub(verb, *cli._COMMANDS[verb]).load()
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if str(word).startswith("--")} <= known


def test_a_board_that_nobody_knows_is_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["install", "--root", str(tmp_path), "--command", COMMAND, "--board", "toaster"]

    code = cli.main(words)

    assert code == ExitCode.USAGE
    assert "raspberry-pi-5" in capsys.readouterr().err


def test_a_service_must_be_able_to_see_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.executable", "/home/pi/venv/bin/python")

    code = cli.main(["install", "--dry-run"])

    assert code == ExitCode.FAILURE
    assert "try: sudo python3 -m venv /opt/firstline" in capsys.readouterr().err


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here"
)
@pytest.mark.parametrize("service", ["agent", "worker"])
class TestUnits:
    @pytest.fixture
    def unit(self, service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
        """The unit as it is installed; its command is one that is there."""
        more = ("--worker",) if service == "worker" else ()
        run(capsys, "install", tmp_path, *more)
        unit = tmp_path / f"etc/systemd/system/firstline-{service}.service"
        unit.write_text(unit.read_text().replace(COMMAND, "/bin/true"))
        return unit

    def test_systemd_finds_nothing_wrong(self, unit: Path) -> None:
        words = ["systemd-analyze", "verify", "--man=no", str(unit)]

        done = subprocess.run(words, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout + done.stderr) == (0, "")

    def test_little_is_exposed(self, unit: Path) -> None:
        words = ["systemd-analyze", "security", "--offline=true", "--json=short", str(unit)]
        threshold = f"--threshold={WORST_EXPOSURE * 10:.0f}"

        done = subprocess.run([*words, threshold], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)


@pytest.mark.parametrize("code", [0, 1])
def test_a_systemd_that_does_not_read_its_units_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho 'no bus' >&2\nexit {code}\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(system, "_SYSTEMD_RUNS", tmp_path)

    steps = system.System(root=Path("/"), dry=False)._reload()

    if code:
        with pytest.raises(CommandError, match="has not read its units again: no bus"):
            list(steps)
    else:
        assert list(steps) == [system.Step("run", "systemctl daemon-reload")]
