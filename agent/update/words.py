"""What the agent and its updater say to each other, in frames: see agent/models/pipe.py.

    agent:    {"begin": Begin}  then {"heard": TOPIC} || payload, as long as the updater lives
    updater:  {"watch": [TOPIC]}  {"unwatch": [TOPIC]}  {"say": TOPIC} || payload
              {"told": Told}    what its looking came to, or how far it is
              {"ready": Ready}  a package that was assembled and verified
              {"damaged": Damaged}  what it found on the disk, and has mended
              {"stop": Stop}    a package that the operator wants back
              {"over": Over}    the last word

The updater is our own program, and its words are parsed all the same: it reads what others wrote.
"""

from typing import Annotated

from msgspec import Meta, field

from agent.update.book import Bounds, Installed
from broker.wire.document import Document, Name
from broker.wire.release import Digest, PackageName
from broker.wire.update_report import PlanDigest, State

_Release = Annotated[int, Meta(ge=0)]
_Counter = Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]


class Running(Document, frozen=True):
    """One package of the settings, as it is on this board."""

    package: PackageName
    folders: tuple[str, ...]  # its files as the factory and earlier releases left them
    running: PlanDigest = ""  # the plan that answers; empty: the factory's
    taken: _Release = 0  # the release that it came with; 0: none
    freed_mb: _Release = 0  # of memory, once its engine has ended


class Begin(Document, frozen=True):
    """What the updater must know of the board."""

    state: str  # folder
    credentials: str  # folder
    groups: tuple[Name, ...]
    packages: tuple[Running, ...]
    bad: dict[Digest, str] = field(default_factory=dict)  # quarantined, and why
    keep: tuple[Digest, ...] = ()  # folders that may be needed
    made_s: float = 0.0  # when the pool's keys were made, Unix time: it is not earlier
    offset_s: float = 0.0  # a worker's clock minus ours
    power: str = "auto"  # see agent.board.Told
    metered: str = "auto"
    metered_file: str = ""


class Told(Document, frozen=True):
    """What became of one package's rollout."""

    package: PackageName
    state: State
    group: str = ""
    release: _Release = 0
    digest: PlanDigest = ""
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of the bytes to download
    reason: str = ""


class Ready(Document, frozen=True):
    """A package that was assembled and verified, in its place."""

    installed: Installed
    bounds: Bounds
    ram_mb: _Release  # that the model adds, as its plan says


class Stop(Document, frozen=True):
    """The operator aborted a release."""

    package: PackageName
    release: _Release
    reason: str


class Damaged(Document, frozen=True):
    """Copies of the floor were not what was written."""

    copies: Annotated[int, Meta(ge=1)]


class Over(Document, frozen=True):
    """The updater ends."""

    again_s: Annotated[float, Meta(ge=1)]  # look again after this, if nothing is heard before
    expired: bool = False  # by our idea of the time: ask a worker for the date
    refused: str = ""  # why what is published is not taken
    # Blocks, files and patches, by what became of them.
    counted: dict[_Counter, Annotated[int, Meta(ge=0)]] = field(default_factory=dict)
