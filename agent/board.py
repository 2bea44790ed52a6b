"""Senses how the board fares: temperature, power, link. Reads a few files of the kernel's.

    /sys/class/thermal/thermal_zone*/temp            thousandths of a degree Celsius
    /sys/class/thermal/cooling_device*/cur_state     of the processor: more than 0 slows it down
    /sys/class/hwmon/hwmon*/in0_lcrit_alarm          of `rpi_volt`: the voltage is too low now
    /sys/class/power_supply/*                        Documentation/ABI/testing/sysfs-class-power
    /proc/net/route, /sys/class/net/*/uevent         is the default route a modem's?

What is not there is not told, and what cannot be read is as if it were not there: a board without
a sensor is a cool one, on mains, with a link that costs nothing.

A Raspberry Pi's `get_throttled` is not read: each kernel since 4.19 writes a warning with a trace
into its log for it and sends the reader to hwmon.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.core.pressure import Conditions

METERED_FILE = Path("/run/firstline-metered")  # "yes" or "no", by whoever knows better

_HOTTEST_C = 150.0  # a zone that says more, or below freezing of nitrogen, has no sensor behind it
_COLDEST_C = -60.0
_PROCESSORS = ("cpufreq", "processor", "cpu")  # how cooling devices that slow it down are called
_MODEMS = ("ppp", "ww")  # how such interfaces are called, where the kernel does not tell their type
_ROUTE_UP = 1  # a flag of /proc/net/route


class Power(StrEnum):
    """What the board runs on."""

    AUTO = "auto"  # as the kernel says
    MAINS = "mains"
    BATTERY = "battery"


class Metered(StrEnum):
    """Whether somebody pays for what goes over the link."""

    AUTO = "auto"  # what the file says; without it, a modem's link is metered
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the operator knows better than the kernel."""

    power: Power = Power.AUTO
    metered: Metered = Metered.AUTO
    metered_file: Path = METERED_FILE


def sense(told: Told, root: Path = Path("/")) -> Conditions:
    """Look once. `root` holds `sys` and `proc`."""
    battery, charge = _power(root / "sys/class/power_supply")
    if told.power is not Power.AUTO:
        battery = told.power is Power.BATTERY
    return Conditions(
        temperature_c=_temperature_c(root / "sys/class/thermal"),
        slowed=_slowed(root / "sys/class"),
        on_battery=battery,
        charge=charge,
        metered=_metered(told, root),
    )


def _temperature_c(thermal: Path) -> float | None:
    read = (_number(zone / "temp") for zone in thermal.glob("thermal_zone*"))
    degrees = [each / 1000 for each in read if each is not None]
    return max((each for each in degrees if _COLDEST_C < each < _HOTTEST_C), default=None)


def _slowed(classes: Path) -> bool:
    cooled = any(
        _text(each / "type").lower().startswith(_PROCESSORS) and _number(each / "cur_state")
        for each in classes.glob("thermal/cooling_device*")
    )
    return cooled or any(
        _text(each / "name") == "rpi_volt" and _number(each / "in0_lcrit_alarm")
        for each in classes.glob("hwmon/hwmon*")
    )


def _power(supplies: Path) -> tuple[bool, float | None]:
    """Whether the board runs on a battery, and how full the emptiest is."""
    known = list(supplies.glob("*"))
    batteries = [each for each in known if _is_battery(each)]
    plugs = [each for each in known if _text(each / "online") and each not in batteries]
    plugged = any(_number(each / "online") for each in plugs)
    drained = any(_text(each / "status") == "Discharging" for each in batteries)
    unplugged = bool(plugs and batteries) and not plugged
    read = (_number(each / "capacity") for each in batteries)
    charges = [min(max(each / 100, 0.0), 1.0) for each in read if each is not None]
    return not plugged and (drained or unplugged), min(charges, default=None)


def _is_battery(supply: Path) -> bool:
    """A battery of the board itself, and not that of a mouse."""
    kinds = _text(supply / "type") in {"Battery", "UPS"}
    return kinds and _text(supply / "scope") != "Device" and _text(supply / "present") != "0"


def _metered(told: Told, root: Path) -> bool:
    if told.metered is not Metered.AUTO:
        return told.metered is Metered.YES
    said = _text(told.metered_file).lower()
    if said:
        return said.startswith(("yes", "1", "true"))  # NetworkManager also says "yes (guessed)"
    interface = _default_interface(root / "proc/net/route")
    kind = _text(root / "sys/class/net" / interface / "uevent") if interface else ""
    return "DEVTYPE=wwan" in kind or interface.startswith(_MODEMS)


def _default_interface(table: Path) -> str:
    """Over which interface the default route of the lowest metric goes; empty: there is none."""
    routes = (line.split() for line in _text(table).splitlines()[1:])
    found = sorted(_defaults(routes))
    return found[0][1] if found else ""


def _defaults(routes: Iterator[list[str]]) -> Iterator[tuple[int, str]]:
    for fields in routes:
        match fields:
            case [name, "00000000", _, flags, _, _, metric, "00000000", *_]:
                if int(flags, 16) & _ROUTE_UP:
                    yield int(metric), name
            case _:
                pass


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # absent, or a driver that cannot say now
        return ""


def _number(file: Path) -> int | None:
    try:
        return int(_text(file))
    except ValueError:
        return None
