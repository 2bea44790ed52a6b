"""Engine children of the smallest package, for the tests."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.core.clean import Expectation, clean
from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import MaskRules
from agent.models.engine import Engine
from agent.stages import Masked, Raw
from broker.wire.payload import PayloadKind

DOMAIN = "shaker/axis"
WINDOW = b"x,y\n1,0\n1,0\n1,0\n1,0\n"


def masked(data: bytes, kind: PayloadKind) -> Masked:
    cleaned = clean(Raw("t", "s", data), Expectation(kind, rate_hz=100.0))
    return mask(cleaned, MaskRules(), find).masked


@contextmanager
def running(package: Path, timeout_s: float = 5.0, unload_after_s: float = 0.0) -> Iterator[Engine]:
    engine = Engine(package, timeout_s=timeout_s, unload_after_s=unload_after_s)
    with closing(Stopped(engine)):
        yield engine


class Stopped:
    """Ends an engine's child, whatever a test has found."""

    def __init__(self, engine: Engine) -> None:
        self.close = engine.stop


def pid_of(engine: Engine) -> int:
    assert engine.pid is not None
    return engine.pid


def has_gone(pid: int) -> bool:
    """Whether a process is no more, or only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
