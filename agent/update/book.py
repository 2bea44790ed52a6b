"""What the slots' file says: which package runs, which ran before, which is on trial."""

from typing import Annotated, Final, Self

from msgspec import Meta, field

from broker.wire.document import Document, Name, Version
from broker.wire.release import Digest, PackageName, PackageVersion, Rollout

LONGEST_REASON: Final = 300  # characters

Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]
Positive = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Bounds(Document, frozen=True):
    """What a trial must keep to, as its rollout says."""

    watch_s: Positive = 600.0
    restarts: Annotated[int, Meta(ge=1)] = 3
    most_errors: Share = 0.05  # of questions
    most_escalated: Share = 1.0  # of questions
    most_ms: Positive = 0.0  # median; 0: no bound

    @classmethod
    def of(cls, rollout: Rollout) -> Self:
        """Those of a rollout."""
        return cls(
            watch_s=rollout.watch_s,
            restarts=rollout.restarts,
            most_errors=rollout.most_errors,
            most_escalated=rollout.most_escalated,
            most_ms=rollout.most_ms,
        )


class Installed(Document, frozen=True):
    """A package that was assembled and verified on this board."""

    package: PackageName
    digest: Digest  # of its plan
    version: PackageVersion
    variant: Name
    group: Name  # whose rollout brought it
    release: Version  # that the rollout was of

    def is_of(self, package: str, release: int) -> bool:
        """Whether it came with a release of a package."""
        return (self.package, self.release) == (package, release)


class Trial(Document, frozen=True):
    """A package that runs and is watched."""

    installed: Installed
    bounds: Bounds
    starts: Annotated[int, Meta(ge=0)] = 0  # of the agent, since it is on trial


class Slots(Document, frozen=True):
    """One package's."""

    current: Installed | None = None  # None: the factory's
    previous: Installed | None = None
    trial: Trial | None = None

    @property
    def candidates(self) -> tuple[Installed, ...]:
        """What may run, the first that can; after the last of these the factory's."""
        trial = None if self.trial is None else self.trial.installed
        return tuple(each for each in (trial, self.current, self.previous) if each is not None)


class Bad(Document, frozen=True):
    """A digest that this board takes no more."""

    digest: Digest
    reason: Reason


class Book(Document, frozen=True):
    """The whole file."""

    packages: dict[PackageName, Slots] = field(default_factory=dict)
    bad: tuple[Bad, ...] = ()
    session: Annotated[int, Meta(ge=0)] = 0  # of the agent's last start
    attempts: dict[Digest, int] = field(default_factory=dict)  # self-tests begun and not ended
