"""What the agent makes of the kernel's files, laid out as boards have them."""

from pathlib import Path

import pytest

from agent.board import Metered, Power, Told, sense
from agent.core.pressure import Conditions

ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return root


def route(name: str, metric: int = 100, flags: str = "0003") -> str:
    return f"{name}\t00000000\t0100A8C0\t{flags}\t0\t0\t{metric}\t00000000\t0\t0\t0\n"


def supply(name: str, **files: str) -> dict[str, str]:
    return {f"sys/class/power_supply/{name}/{key}": text for key, text in files.items()}


def cooling(kind: str, state: str) -> dict[str, str]:
    folder = "sys/class/thermal/cooling_device0"
    return {f"{folder}/type": kind, f"{folder}/cur_state": state}


def monitor(name: str, alarm: str) -> dict[str, str]:
    folder = "sys/class/hwmon/hwmon1"
    return {f"{folder}/name": name, f"{folder}/in0_lcrit_alarm": alarm}


def told(root: Path, **known: Power | Metered) -> Told:
    return Told(metered_file=root / "metered", **known)  # type: ignore[arg-type] # by name


def test_a_board_without_sensors_is_cool_on_mains_and_unmetered(tmp_path: Path) -> None:
    assert sense(told(tmp_path), tmp_path) == Conditions()


def test_the_hottest_zone_counts_and_one_without_a_sensor_does_not(tmp_path: Path) -> None:
    zones = {"0/temp": "48312", "1/temp": "61900", "2/temp": "-274000", "3/temp": "255000"}
    lay(tmp_path, {f"sys/class/thermal/thermal_zone{name}": text for name, text in zones.items()})
    (tmp_path / "sys/class/thermal/thermal_zone4").mkdir()
    (tmp_path / "sys/class/thermal/thermal_zone4/temp").mkdir()  # reading it fails

    assert sense(told(tmp_path), tmp_path).temperature_c == 61.9


@pytest.mark.parametrize(
    ("files", "slowed"),
    [
        (cooling("cpufreq-cpu0", "2"), True),
        (cooling("Processor", "0"), False),
        (cooling("pwm-fan", "3"), False),
        (monitor("rpi_volt", "1"), True),
        (monitor("rpi_volt", "0"), False),
        (monitor("other", "1"), False),
    ],
)
def test_a_processor_that_is_slowed_down_is_noticed(
    tmp_path: Path, files: dict[str, str], *, slowed: bool
) -> None:
    lay(tmp_path, files)

    assert sense(told(tmp_path), tmp_path).slowed is slowed


MODEM = {"sys/class/net/usb0/uevent": "DEVTYPE=wwan"}
BATTERY = {"type": "Battery", "status": "Discharging", "capacity": "42"}


@pytest.mark.parametrize(
    ("supplies", "on_battery", "charge"),
    [
        (supply("BAT0", **BATTERY), True, 0.42),
        (supply("BAT0", **BATTERY) | supply("AC", type="Mains", online="0"), True, 0.42),
        (supply("BAT0", **BATTERY) | supply("AC", type="Mains", online="1"), False, 0.42),
        (
            supply("BAT0", **(BATTERY | {"status": "Unknown"}))
            | supply("usb", type="USB", online="0"),
            True,
            0.42,
        ),
        (supply("BAT0", **(BATTERY | {"status": "Charging"})), False, 0.42),
        (supply("BAT0", **BATTERY) | supply("BAT1", **(BATTERY | {"capacity": "7"})), True, 0.07),
        (supply("mouse", scope="Device", **BATTERY), False, None),
        (supply("BAT0", present="0", **BATTERY), False, None),
        (supply("AC", type="Mains", online="0"), False, None),  # it runs, so on something else
    ],
)
def test_what_the_board_runs_on(
    tmp_path: Path, supplies: dict[str, str], *, on_battery: bool, charge: float | None
) -> None:
    lay(tmp_path, supplies)

    found = sense(told(tmp_path), tmp_path)

    assert (found.on_battery, found.charge) == (on_battery, charge)


@pytest.mark.parametrize(
    ("files", "metered"),
    [
        ({"proc/net/route": ROUTES + route("wwan0")}, True),
        ({"proc/net/route": ROUTES + route("ppp0", 700) + route("eth0", 100)}, False),
        ({"proc/net/route": ROUTES + route("ppp0", 100) + route("eth0", 700)}, True),
        ({"proc/net/route": ROUTES + route("ppp0", 100, "0002") + route("eth0", 700)}, False),
        ({"proc/net/route": ROUTES + "ppp0\tA\n" + route("eth0")}, False),
        ({"proc/net/route": ROUTES + route("usb0")} | MODEM, True),
        ({"proc/net/route": ROUTES + route("eth0"), "metered": "yes (guessed)"}, True),
        ({"proc/net/route": ROUTES + route("wwan0"), "metered": "no"}, False),
    ],
)
def test_a_modem_or_whoever_knows_better_makes_a_link_metered(
    tmp_path: Path, files: dict[str, str], *, metered: bool
) -> None:
    lay(tmp_path, files)

    assert sense(told(tmp_path), tmp_path).metered is metered


def test_the_operator_knows_best(tmp_path: Path) -> None:
    lay(tmp_path, supply("BAT0", **BATTERY) | {"metered": "yes"})

    at_home = sense(told(tmp_path, power=Power.MAINS, metered=Metered.NO), tmp_path)
    away = sense(told(tmp_path, power=Power.BATTERY, metered=Metered.YES), tmp_path / "none")

    assert (at_home.on_battery, at_home.metered, at_home.charge) == (False, False, 0.42)
    assert (away.on_battery, away.metered, away.charge) == (True, True, None)
