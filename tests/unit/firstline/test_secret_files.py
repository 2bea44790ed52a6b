"""Secrets in files that the environment names, as containers are given them."""

import time
from pathlib import Path

import pytest

from broker.fleet import passphrase
from broker.wire.messages import Question
from broker.wire.payload import Text
from firstline import cli
from firstline.build_worker import worker_process
from firstline.exits import ExitCode
from firstline.settings import source
from firstline.settings.problems import SettingsError
from firstline.settings.worker import WorkerSettings
from tests.model_server import scripted_server
from tests.unit.firstline.conftest import Home

SERVER = """\
[[engines]]
kind = "openai"
base_url = "{base_url}"
model = "large"
domains = ["home/{domain}"]
"""


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a key, outside of the settings' folder, that the environment names."""
    path = tmp_path / "secrets" / "api"
    path.parent.mkdir()
    path.write_text("k-of-the-environment\n")
    monkeypatch.setenv("FIRSTLINE_API_KEY_FILE", str(path))
    return path


def add(home: Home, base_url: str, domain: str, more: str = "") -> None:
    before = home.worker.read_text()
    home.worker.write_text(before + SERVER.format(base_url=base_url, domain=domain) + more)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("named", [False, True], ids=["the environment's", "the settings'"])
def test_a_key_of_the_environment_is_used_where_the_settings_name_none(
    home: Home,
    named: bool,  # noqa: FBT001 - a case
) -> None:
    pytest.importorskip("httpx")
    (home.folder / "own").write_text("k-of-the-settings")
    with scripted_server() as server:
        add(home, server.base_url, "heat", 'api_key_file = "own"\n' if named else "")

        with worker_process(home.worker) as service:
            completer = service._worker.completers["home/heat"]
            completer.complete(Question("home/heat", Text("warmer")), time.monotonic() + 10.0)

    expected = "k-of-the-settings" if named else "k-of-the-environment"
    assert server.headers[0]["Authorization"] == f"Bearer {expected}"


@pytest.mark.usefixtures("key")
def test_a_key_of_the_environment_is_not_shown_to_several_servers(home: Home) -> None:
    add(home, "http://a/v1", "heat")
    add(home, "http://b/v1", "light", 'api_key_file = "own"\n')

    with pytest.raises(SettingsError) as refused:
        source.read(home.worker, WorkerSettings)

    (found,) = refused.value.problems
    assert found.key == "engines.1.api_key_file"
    assert "FIRSTLINE_API_KEY_FILE is for one server" in found.message


def test_a_key_of_the_environment_that_is_missing_is_told(home: Home, key: Path) -> None:
    key.unlink()
    add(home, "http://127.0.0.1:1/v1", "heat")

    assert cli.main(["config", "check", str(home.worker)]) == ExitCode.SETTINGS


def test_a_passphrase_may_lie_in_a_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrase, "SCRYPT_N", 2**10)
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", "the wrong one")
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE_FILE", str(tmp_path / "phrase"))
    (tmp_path / "phrase").write_text("correct horse\n", encoding="utf-8")
    folder = str(tmp_path / "fleet")
    enrol = ["fleet", "enroll", "board-1", "--folder", "--dir", folder]

    assert cli.main(["fleet", "init", folder]) == ExitCode.OK
    monkeypatch.delenv("FIRSTLINE_PASSPHRASE_FILE")
    assert cli.main(enrol) == ExitCode.KEYS
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", "correct horse")
    assert cli.main(enrol) == ExitCode.OK
