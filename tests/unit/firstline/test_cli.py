"""The command line itself: help, errors, exit codes."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from typer.main import get_command

from firstline import cli, console, exits
from firstline.exits import CommandError, ExitCode

COMMANDS = (
    "demo",
    "ask",
    "mask",
    "agent",
    "worker",
    "broker",
    "fleet",
    "model",
    "config",
    "doctor",
)
VERBS = {
    "agent": ("run",),
    "worker": ("run",),
    "broker": ("up",),
    "fleet": ("init", "hosts", "enroll", "admit", "worker", "revoke", "list", "status"),
    "model": ("list", "show", "pack"),
    "gate": ("explain",),
    "config": ("check", "show", "keys"),
    "bench": ("roundtrip", "footprint", "engine", "gate"),
}
ALONE = (
    *("demo", "ask", "mask", "join", "renew"),
    *("install", "uninstall", "status", "doctor", "exit-codes"),
)
HEAVY = {
    "agent",
    "broker",
    "cloud_worker",
    "cryptography",
    "numpy",
    "onnxruntime",
    "paho",
    "pydantic",
    "rich",
    "sqlite3",
    "watchdog",
}


def firstline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstline", *words], capture_output=True, text=True, check=False
    )


def test_help_lists_every_command_with_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["--help"])

    lines = capsys.readouterr().out.splitlines()
    listed = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ")}
    assert code == 0
    assert all(listed[name] for name in (*VERBS, *ALONE))


def test_help_imports_nothing_that_a_command_needs() -> None:
    code = (
        "import sys; before = set(sys.modules); from firstline.cli import main; main(['--help']); "
        "print(','.join({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.splitlines()[-1].split(","))
    assert "typer" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("noun", VERBS)
def test_help_of_a_noun_lists_its_verbs(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([noun, "--help"]) == 0

    out = capsys.readouterr().out
    assert all(f"\n  {verb} " in out for verb in VERBS[noun])


@pytest.mark.parametrize(
    "command", [*((name,) for name in ALONE), *((n, v) for n in VERBS for v in VERBS[n])]
)
def test_every_command_takes_json(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*command, "--help"]) == 0

    assert "--json " in capsys.readouterr().out


def test_a_wrong_command_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctr"]) == ExitCode.USAGE

    assert "Did you mean 'doctor'?" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["mask"], ["fleet", "enroll"], ["mask", "--speed", "x"]])
def test_a_wrong_command_line_is_told_in_json_too(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--json"]) == ExitCode.USAGE

    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["kind"]) == (2, "usage")
    assert error["message"]


def test_json_behind_a_double_dash_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mask", "--", "--json"]) == 0
    assert capsys.readouterr().out.startswith("--json\n")

    assert cli.main(["fleet", "enroll", "--dir", "/nowhere", "--", "--json"]) == ExitCode.FAILURE
    assert capsys.readouterr().out == ""


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == ExitCode.USAGE

    assert "Commands:" in capsys.readouterr().err


def test_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0

    assert capsys.readouterr().out[0].isdigit()


def test_exit_codes_are_printed_for_people_and_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["exit-codes"])
    text = capsys.readouterr().out
    cli.main(["exit-codes", "--json"])
    document = json.loads(capsys.readouterr().out)["exit_codes"]

    assert {int(code): meaning for code, meaning in document.items()} == dict(exits.MEANINGS)
    assert all(f"{code.value}  {meaning}" in text for code, meaning in exits.MEANINGS.items())
    assert all(meaning in (exits.__doc__ or "") for meaning in exits.MEANINGS.values())
    assert set(exits.MEANINGS) == set(ExitCode)


@pytest.mark.parametrize("name", exits._EXPECTED)
def test_every_expected_error_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    assert issubclass(getattr(import_module(module), kind), Exception)


def test_an_expected_error_is_one_line_without_a_traceback() -> None:
    done = firstline("fleet", "enroll", "kitchen", "--dir", "/nowhere")

    assert done.returncode == ExitCode.FAILURE
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("firstline: /nowhere/fleet.json: No such file or directory.")


def test_a_fix_is_told_beside_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = CommandError("no disk", ExitCode.PARTIAL, fix="mount it")

    assert console.tell(error, as_json=False) == ExitCode.PARTIAL
    assert capsys.readouterr().err == "firstline: no disk\n  try: mount it\n"

    assert console.tell(error, as_json=True) == ExitCode.PARTIAL
    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": 8, "kind": "partial", "message": "no disk", "fix": "mount it"}
    }


def test_a_mistake_of_ours_tells_its_place_and_not_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    who = "bob"
    with pytest.raises(ValueError, match=who) as raised:
        int(f"{who}@example.org")

    code = console.tell(raised.value, as_json=True)

    printed = capsys.readouterr()
    assert code == ExitCode.FAILURE
    assert "test_cli.py" in printed.err
    assert "ValueError" in printed.err
    assert who not in printed.err + printed.out
    assert json.loads(printed.out)["error"]["code"] == 1


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("onnxruntime.capi", "pip install 'firstline[device]'"),
        ("httpx", "pip install 'firstline[worker]'"),
        ("tuf.api", "pip install 'firstline[fleet]'"),
        ("typing_extensions", "pip install --force-reinstall firstline"),
    ],
)
def test_a_missing_module_is_told_with_its_installation(name: str, fix: str) -> None:
    error = cli._translated(ModuleNotFoundError("No module", name=name))

    assert isinstance(error, CommandError)
    assert name in str(error)
    assert error.fix == fix


def test_a_file_that_is_missing_is_told_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    code = console.tell(FileNotFoundError(2, "No such file", "here"), as_json=False)

    assert code == ExitCode.FAILURE
    assert capsys.readouterr().err == "firstline: here: No such file\n"


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert console.columns([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]


def test_colours_are_for_terminals_only() -> None:
    assert console.paint("x", "red") == "x"


def test_ctrl_c_has_an_exit_code_of_its_own() -> None:
    code = "import signal; from firstline import cli; from firstline.commands import exit_codes"
    code += "; exit_codes.show = lambda *a, **k: signal.raise_signal(signal.SIGINT)"
    # A suite that runs in the background was started with SIGINT ignored.
    code += "; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code += "; raise SystemExit(cli.main(['exit-codes']))"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == ExitCode.INTERRUPTED


def test_the_root_builds_as_a_group() -> None:
    group = get_command(cli._root())

    assert isinstance(group, cli.LazyGroup)
    assert set(group.commands) == {*VERBS, *ALONE}
