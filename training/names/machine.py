"""Lines as machines write them, put together by chance: nobody is named in them."""

import random
from collections.abc import Callable, Iterator

from training.names.samples import Sample

_PARTS_TEXT = """
Window Manager Block Storage Data Node Task Event Session Queue Worker Handler Service Thread
Buffer Cache Frame Rect View Point Listener Client Server Socket Packet Stream Index Store
Memory Monitor Sensor Power Network Display Audio Device Driver Kernel
"""
_PARTS = tuple(_PARTS_TEXT.split())
_WORDS_TEXT = """
received sent opened closed failed started stopped retry timeout connection request response
bytes block size state change from to for at in of on via with after is not link up down user
root password port status error warning update config value id progress lock flags uid pid
took seconds memory free estimated stored broken close client instance package exceptions
lifetime term commit peer offset stratum consumed CPU time component unavailable
"""
_WORDS = tuple(_WORDS_TEXT.split())
_UNITS = (
    "",
    "",
    "",
    "KB",
    "MB",
    "GB",
    "ms",
    "s",
    "us",
    "bytes",
    "C",
    "V",
    "rpm",
    "%",
    "Hz",
    "mA",
    "kB/s",
)
_DAEMONS = (
    *("sshd", "kernel", "systemd", "cron", "dhcpd", "named", "ntpd", "nginx", "postfix", "dockerd"),
    *("mosquitto", "java", "python3", "NetworkManager", "wpa_supplicant", "rsyslogd", "sudo", "su"),
)
_PROGRAMS = (
    *("luna", "iris", "atlas", "jasper", "ruby", "julia", "jenkins", "ada", "apollo", "hermes"),
    *("victoria", "otto", "hugo", "max", "eve", "sierra", "jade", "carbon", "felix", "stella"),
)
_LEVELS = (
    "INFO",
    "WARN",
    "ERROR",
    "DEBUG",
    "info",
    "warning",
    "notice",
    "D",
    "I",
    "W",
    "E",
    "FATAL",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CAPITALS = "ABCDEFGHIKLMNOPRSTUVWXY"


def lines(count: int, seed: int = 7) -> Iterator[Sample]:
    """Write so many lines."""
    choice = random.Random(seed)  # noqa: S311
    for _ in range(count):
        head = choice.choice((_syslog, _stamped, _bare))(choice)
        body = " ".join(choice.choice(_PIECES)(choice) for _ in range(choice.randrange(1, 12)))
        yield Sample(head + body + choice.choice(("", "", ".", ")", "]")), ())


def _number(choice: random.Random) -> str:
    most = 10 ** choice.randrange(1, 9)
    if choice.random() < 0.4:
        return f"{choice.random() * most:.{choice.randrange(1, 7)}f}"
    return str(choice.randrange(most))


def _measure(choice: random.Random) -> str:
    return _number(choice) + choice.choice((" ", "")) + choice.choice(_UNITS)


def _tuple(choice: random.Random) -> str:
    between = choice.choice((", ", ",", " ", " - ", ":", "/", "x"))
    numbers = between.join(_number(choice) for _ in range(choice.randrange(2, 7)))
    return choice.choice(("({})", "[{}]", "{}", "{}", _camel(choice) + "({})")).format(numbers)


def _hex(choice: random.Random) -> str:
    digits = f"{choice.getrandbits(choice.choice((8, 16, 32, 64))):x}"
    return choice.choice(("0x", "0x", "")) + choice.choice((digits, digits.upper()))


def _camel(choice: random.Random) -> str:
    return "".join(choice.choices(_PARTS, k=choice.choice((1, 2, 2, 3))))


def _dotted(choice: random.Random) -> str:
    words = choice.choices(_WORDS, k=choice.randrange(1, 4))
    return choice.choice((".", ".", "/", "-", "_")).join((*words, _camel(choice)))


def _pair(choice: random.Random) -> str:
    value = choice.choice((_number, _hex, _word, _acronym, _tuple))(choice)
    return _word(choice) + choice.choice(("=", "=", ": ", ":")) + value


def _ip(choice: random.Random) -> str:
    address = ".".join(str(choice.randrange(256)) for _ in range(4))
    return address + choice.choice(("", "", f":{choice.randrange(65536)}"))


def _word(choice: random.Random) -> str:
    return choice.choice(_WORDS)


def _acronym(choice: random.Random) -> str:
    return "".join(choice.choices(_CAPITALS, k=choice.randrange(2, 8)))


def _words(choice: random.Random) -> str:
    return " ".join(choice.choices(_WORDS, k=choice.randrange(1, 5)))


def _interface(choice: random.Random) -> str:
    name = choice.choice(("eth", "wlan", "enp3s", "sda", "ttyUSB", "cpu", "gpio", "br", "node-"))
    return f"{name}{choice.randrange(10)}"


def _listed(choice: random.Random) -> str:
    """Make such as (p5, c0, k60)."""
    letters = "abcdefghikmnpqrstuvwxyz"
    few = (f"{choice.choice(letters)}{choice.randrange(99)}" for _ in range(choice.randrange(1, 5)))
    return choice.choice(("({})", "[{}]", "{}")).format(choice.choice((", ", ",", " ")).join(few))


def _package(choice: random.Random) -> str:
    """Make such as org.apache.hadoop.Worker."""
    packages = ("apache", "hadoop", "spark", "spring", "kafka", "google", "eclipse", "zookeeper")
    words = (choice.choice(("org", "com", "io", "net")), choice.choice(packages))
    return ".".join((*words, *choice.choices(_WORDS, k=choice.randrange(3)), _camel(choice)))


def _dump(choice: random.Random) -> str:
    """Make such as 00 1f 2b 44 410 6 9."""
    few = choice.randrange(3, 9)
    pairs = [f"{choice.getrandbits(8):02x}" for _ in range(choice.randrange(few))]
    return " ".join(
        (*pairs, *(str(choice.randrange(10 ** choice.randrange(1, 7))) for _ in range(few)))
    )


def _call(choice: random.Random) -> str:
    """Make such as Rect(0, 3 - 690118, 239571)."""
    few = [
        str(choice.randrange(10 ** choice.randrange(1, 7))) for _ in range(choice.randrange(2, 6))
    ]
    text = few[0] + "".join(choice.choice((", ", ", ", " - ", " x ")) + each for each in few[1:])
    return f"{_camel(choice)}({text})"


def _service(choice: random.Random) -> str:
    """Make such as iris-compute.log.1.2026-10-25_04:37:04: programs have names too."""
    name = choice.choice(_PROGRAMS) + choice.choice(("-", "-", "_", ".", "")) + _word(choice)
    return name + choice.choice(("", ".log", ".log.1", ".service", ".conf", f"[{_number(choice)}]"))


_PIECES: tuple[Callable[[random.Random], str], ...] = (
    *(_number, _measure, _measure, _tuple, _tuple, _hex, _camel, _dotted, _pair, _pair),
    *(_ip, _words, _words, _words, _acronym, _interface, _listed, _package),
    *(_dump, _call, _service),
)


def _clock(choice: random.Random) -> str:
    return f"{choice.randrange(24):02}:{choice.randrange(60):02}:{choice.randrange(60):02}"


def _syslog(choice: random.Random) -> str:
    day = f"{choice.choice(_MONTHS)} {choice.randrange(1, 32):2} {_clock(choice)}"
    host = choice.choice(("combo", "gateway", "rpi", "LabSZ", "board")) + choice.choice(("", "-3"))
    return f"{day} {host} {choice.choice(_DAEMONS)}[{choice.randrange(99999)}]: "


def _stamped(choice: random.Random) -> str:
    date = f"20{choice.randrange(10, 30)}-{choice.randrange(1, 13):02}-{choice.randrange(1, 29):02}"
    when = choice.choice(
        (
            f"{date} {_clock(choice)},{choice.randrange(1000):03}",
            f"{date}T{_clock(choice)}Z",
            (
                f"[{choice.choice(_DAYS)} {choice.choice(_MONTHS)} {choice.randrange(1, 29)}"
                f" {_clock(choice)} {choice.randrange(2000, 2030)}]"
            ),
            str(choice.randrange(10**9, 2 * 10**9)),
        )
    )
    return f"{when} {choice.choice(_LEVELS)} {choice.choice((_dotted, _camel))(choice)}: "


def _bare(choice: random.Random) -> str:
    heads = (
        "",
        f"{_service(choice)} ",
        f"{choice.choice(_LEVELS)} ",
        f"- {choice.randrange(10**9)} ",
    )
    return choice.choice(heads)
