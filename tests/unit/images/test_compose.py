"""The compose files hold together: every file, volume, port and setting that one names is there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firstline.settings.agent import AgentSettings
from firstline.settings.source import read
from firstline.settings.worker import OpenAiSection, WorkerSettings
from tests.unit.images.files import DOCKER, compose, instructions, stages

DEMO, GPU = ("compose.yaml",), ("compose.yaml", "compose.gpu.yaml")
OURS = ("agent", "broker", "fleet", "worker-1", "worker-2")
HOME = "/var/lib/firstline"


@pytest.mark.parametrize("name", OURS)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = compose(*DEMO)["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {
        "privileged",
        "network_mode",
        "pid",
        "ipc",
        "cap_add",
        "user",
        "devices",
    }


def test_the_services_are_built_from_the_dockerfile() -> None:
    for service in compose(*DEMO)["services"].values():
        build = service["build"]
        assert (DOCKER / build["context"] / build["dockerfile"]).samefile(DOCKER / "Dockerfile")
        assert build["target"] in stages()
        assert service["image"] == f"localhost/firstline-{build['target']}"


@pytest.mark.parametrize("files", [DEMO, GPU])
def test_volumes_configs_and_secrets_are_declared_and_used(files: tuple[str, ...]) -> None:
    document = compose(*files)
    services: dict[str, Any] = document["services"]

    used = {each.split(":")[0] for one in services.values() for each in one["volumes"]}
    assert used == set(document["volumes"])
    for kind in ("configs", "secrets"):
        named = [each for one in services.values() for each in one.get(kind, ())]
        names = {each["source"] if isinstance(each, dict) else each for each in named}
        assert names == set(document.get(kind, ()))


def test_the_root_key_is_in_no_service_that_stays() -> None:
    for name, service in compose(*DEMO)["services"].items():
        holds = [each for each in service["volumes"] if each.startswith("fleet:")]
        assert bool(holds) == (name == "fleet")
    assert compose(*DEMO)["services"]["fleet"]["restart"] == "no"


def test_workers_share_no_state_and_no_keys() -> None:
    services = compose(*DEMO)["services"]

    assert services["worker-1"]["volumes"] != services["worker-2"]["volumes"]


def test_the_volumes_belong_to_the_user_of_the_images() -> None:
    made = " ".join(stages()["base"].lines)

    for volume in compose(*DEMO)["services"]["fleet"]["volumes"]:
        assert f" {volume.split(':')[1]}" in made


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make-fleet.sh` makes."""
    folder = tmp_path_factory.mktemp("volumes")
    for name in ("fleet", "broker", "worker-1", "worker-2", "agent"):
        (folder / name).mkdir()
    _make_fleet(folder)
    return folder


def _make_fleet(folder: Path) -> str:
    done = subprocess.run(
        ["/bin/bash", str(DOCKER / "make-fleet.sh"), str(folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=250,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    return done.stdout


def test_the_fleet_is_made_once(volumes: Path) -> None:
    before = (volumes / "fleet/fleet/root.pub").read_bytes()

    assert "already" in _make_fleet(volumes)
    assert (volumes / "fleet/fleet/root.pub").read_bytes() == before


def test_the_settings_that_it_writes_are_valid_and_meet_the_broker(volumes: Path) -> None:
    services = compose(*DEMO)["services"]
    conf = (volumes / "broker/mosquitto.conf").read_text(encoding="utf-8")
    agent = read(volumes / "agent/agent.toml", AgentSettings)
    worker = read(volumes / "worker-1/worker.toml", WorkerSettings)

    for settings in (agent, worker):
        assert settings.broker.host in services
        assert settings.broker.tls
        assert f"listener {settings.broker.port} 0.0.0.0" in conf
    assert set(re.findall(r"^listener (\d+)", conf, re.MULTILINE)) == set(
        instructions("broker")["EXPOSE"].split()
    )
    assert str(worker.http.port) == instructions("worker")["EXPOSE"]
    assert f"127.0.0.1:{worker.http.port}/healthz" in instructions("worker")["HEALTHCHECK"]
    named = {Path(path).parent for path in re.findall(rf" ({HOME}/\S+)", conf)}
    assert named == {Path(HOME)}


def test_each_has_its_own_keys_and_nobody_the_roots(volumes: Path) -> None:
    certificates = {
        (volumes / name / "keys/tls.pem").read_bytes() for name in ("agent", "worker-1", "worker-2")
    }
    assert len(certificates) == 3
    holders = {path.relative_to(volumes).parts[0] for path in volumes.rglob("root.key")}
    assert holders == {"fleet"}


def test_a_run_that_was_cut_short_is_begun_anew(volumes: Path) -> None:
    (volumes / "agent/agent.toml").unlink()

    assert "anew" in _make_fleet(volumes)
    authority = (volumes / "broker/ca.pem").read_bytes()
    for name in ("agent", "worker-1", "worker-2"):
        assert (volumes / name / "keys/tls-ca.pem").read_bytes() == authority


def test_each_command_names_a_file_that_is_in_its_volume(volumes: Path) -> None:
    for name, service in compose(*DEMO)["services"].items():
        if name != "fleet":
            mounted = service["volumes"][0]
            path = service["command"][-1].removeprefix(f"{HOME}/")
            assert mounted == f"{name}:{HOME}"
            assert (volumes / name / path).is_file()


def test_the_workers_beside_a_model_server_find_it() -> None:
    document = compose(*GPU)
    server = document["services"]["vllm"]
    settings = read(DOCKER / document["configs"]["worker"]["file"], WorkerSettings)

    models = [engine for engine in settings.engines if isinstance(engine, OpenAiSection)]
    (model,) = models
    command = server["command"]
    assert model.base_url == f"http://vllm:{command[command.index('--port') + 1]}/v1"
    assert model.model == command[command.index("--served-model-name") + 1]
    assert server["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert "ports" not in server  # only the workers reach it
    for name in ("worker-1", "worker-2"):
        worker = document["services"][name]
        (config,) = worker["configs"]
        assert worker["command"] == ["--settings", config["target"]]
        assert worker["environment"]["FIRSTLINE_API_KEY_FILE"] == "/run/secrets/vllm-key"
        assert worker["secrets"] == server["secrets"] == ["vllm-key"]
        assert settings.worker.credentials.is_relative_to(HOME)
