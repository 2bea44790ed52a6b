"""The images run as nobody in particular, come by hash, and say how they are."""

import re
from fnmatch import fnmatch

import pytest

from tests.unit.images.files import DOCKER, ROOT, instructions, stages

IMAGES = ("agent", "worker", "broker")
SCRIPTS = (
    "docker/install.sh",
    "docker/make-fleet.sh",
    "scripts/images.sh",
    "scripts/llama_wheel.sh",
)


def test_every_image_starts_from_debian_slim_or_from_the_base_that_is_given() -> None:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")

    assert "\nARG BASE=debian:bookworm-slim\n" in text
    names = {"${BASE}", *stages()}
    assert {stage.base for stage in stages().values()} <= names


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_an_ordinary_user_and_tells_its_health(image: str) -> None:
    found = instructions(image)

    assert found["USER"] == "10001:10001"
    assert "CMD [" in found["HEALTHCHECK"]
    assert found["STOPSIGNAL"] == "SIGTERM"
    assert found["ENTRYPOINT"].startswith("[")  # no shell between: it would swallow SIGTERM


@pytest.mark.parametrize("image", ["agent", "worker"])
def test_what_is_compiled_and_what_runs_are_two_stages(image: str) -> None:
    stage = stages()[image]
    taken = [line for line in stage.all("COPY") if line.startswith("--from=")]

    assert taken == [f"--from={image}-packages /opt/firstline /opt/firstline"]
    assert "apt-get" not in " ".join(stage.lines)
    below = stages()[stage.base]
    assert "g++" not in " ".join(below.lines)
    assert "pip" not in " ".join(below.lines)


@pytest.mark.parametrize("image", ["agent", "worker"])
def test_onnxruntime_reports_to_nobody(image: str) -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in instructions(image)["ENV"].split()


def test_nothing_is_installed_without_a_hash() -> None:
    lines = [*(line for stage in stages().values() for line in stage.all("RUN"))]
    for script in SCRIPTS:
        lines += (ROOT / script).read_text(encoding="utf-8").replace("\\\n", "").splitlines()

    asked = [
        line for line in lines if re.search(r"\bpip .*(install|download)|install_there ", line)
    ]
    asked = [line for line in asked if not line.lstrip().startswith("#") and '"$@"' not in line]
    assert len(asked) >= 5
    for line in asked:
        assert "--require-hashes" in line or "--no-deps" in line, line


def test_no_address_of_an_index_is_named() -> None:
    for name in ("docker/Dockerfile", *SCRIPTS):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.findall(r"\w+://(?!127\.0\.0\.1)\S+", text) == [], name
        assert "index-url" not in text, name
        assert "trusted-host" not in text, name


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]

    for stage in stages().values():
        for line in stage.all("COPY"):
            if not line.startswith("--from="):
                for source in line.split()[:-1]:
                    assert (ROOT / source).exists(), source
                    assert any(fnmatch(source, pattern) for pattern in let_in), source


def test_llama_is_compiled_for_every_processor_and_not_for_ours() -> None:
    script = (ROOT / "scripts/llama_wheel.sh").read_text(encoding="utf-8")

    for setting in ("GGML_NATIVE=OFF", "GGML_BACKEND_DL=ON", "GGML_CPU_ALL_VARIANTS=ON"):
        assert f"-D{setting}" in script
