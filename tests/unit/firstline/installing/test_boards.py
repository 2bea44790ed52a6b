"""Which profile a board gets, and that every profile's settings are right."""

import re
import tomllib
from pathlib import Path

import pytest

from firstline.installing.boards import Machine, choose, profiles, this_machine
from firstline.installing.files import File, of_agent
from firstline.settings import references, source
from firstline.settings.agent import AgentSettings
from firstline.shipped import CONFIGS
from tests.unit.docs.pages import ROOT, table

PROFILES = profiles()
PAGE = ROOT / "firmware_configs" / "README.md"
WORDS = {"FIRSTLINE": "/opt/firstline/bin/firstline", "host": "hub.example.org", "port": "8883"}
ARM, X86 = "aarch64", "x86_64"


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (Machine("Raspberry Pi Zero 2 W Rev 1.0", ARM, 430), "raspberry-pi-zero-2-w"),
        (Machine("Raspberry Pi 4 Model B Rev 1.5", ARM, 8000), "raspberry-pi-4"),
        (Machine("Raspberry Pi 400 Rev 1.0", ARM, 4000), "raspberry-pi-4"),
        (Machine("Raspberry Pi Compute Module 4 Rev 1.1", ARM, 950), "raspberry-pi-4"),
        (Machine("Raspberry Pi 5 Model B Rev 1.0", ARM, 8100), "raspberry-pi-5"),
        (Machine("Raspberry Pi 500 Rev 1.0", ARM, 8100), "raspberry-pi-5"),
        (Machine("NVIDIA Jetson Orin Nano Engineering Reference", ARM, 7600), "jetson-orin-nano"),
        (Machine("", X86, 7900), "x86-gateway"),
        # Unknown ones: by the memory that there is.
        (Machine("Orange Pi Zero 3", ARM, 480), "raspberry-pi-zero-2-w"),
        (Machine("Raspberry Pi 3 Model B Plus Rev 1.3", ARM, 950), "raspberry-pi-4"),
        (Machine("Radxa ROCK 5B", ARM, 3500), "raspberry-pi-5"),
        (Machine("Radxa ROCK 5B", ARM, 16_000), "jetson-orin-nano"),
        (Machine("", X86, 900), None),
        (Machine("", "riscv64", 8000), None),
    ],
)
def test_a_board_gets_the_profile_of_its_kind(machine: Machine, expected: str | None) -> None:
    assert choose(PROFILES, machine) == expected


def test_a_board_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 5 kB\n")

    found = this_machine(tmp_path)

    assert (found.model, found.ram_mb) == ("Raspberry Pi 5 Model B Rev 1.0", 1024.0)
    assert this_machine().machine in {ARM, X86}


@pytest.mark.parametrize("name", PROFILES)
def test_the_settings_of_every_board_are_right(name: str, tmp_path: Path) -> None:
    wanted = of_agent({**WORDS, **PROFILES[name].words()})
    contents = {each.place: each.content for each in wanted if isinstance(each, File)}
    file = tmp_path / "agent.toml"
    file.write_text(contents["etc/firstline/agent.toml"])

    settings = source.read(file, AgentSettings)
    faults = [where for where, _ in references.faults(settings, tmp_path)]

    assert faults == [("agent", "credentials"), ("broker", "tls")]  # the board has not joined yet
    assert settings.models["commands"].threads == PROFILES[name].threads
    assert settings.broker.host == "hub.example.org"
    assert settings.board.throttle_c == PROFILES[name].throttle_c
    drop_in = contents["etc/systemd/system/firstline-agent.service.d/board.conf"]
    assert f"MemoryMax={PROFILES[name].service_mb}M" in drop_in
    assert not re.findall(r"@\w+@", "".join(contents.values()))


@pytest.mark.parametrize("name", PROFILES)
def test_a_board_can_bear_what_its_profile_allows(name: str) -> None:
    profile = PROFILES[name]

    assert 100 < profile.engine_mb < profile.service_mb < profile.ram_mb


def test_the_page_tells_every_board() -> None:
    assert table(PAGE, "## Boards") == [told(name) for name in PROFILES]


def told(name: str) -> list[str]:
    found = PROFILES[name]
    numbers = (found.threads, found.service_mb, found.engine_mb)
    rest = (found.max_questions, f"{found.writes_mb_per_day:g}", f"{found.throttle_c:g}")
    words = (f"`{found.package}`", f"`{found.profile}`")
    cells = (f"`{name}`", ", ".join(found.models), *numbers, *words, *rest)
    return [str(cell) for cell in cells]


def test_every_profile_has_the_same_keys() -> None:
    keys = [tuple(tomllib.loads(path.read_text())) for path in (CONFIGS / "boards").glob("*.toml")]

    assert len(keys) == 5
    assert len(set(keys)) == 1
