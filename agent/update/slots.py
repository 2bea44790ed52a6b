"""Which model package runs, which ran before, which is on trial: on disk, in whole steps.

    factory ... previous <-- current <-- trial          slots.json, replaced whole and waited for
                                |          `-- rejected: its digest is quarantined
                                `-- what runs when the trial fails

The factory package stays where the installation put it, and is what runs when nothing else can.
Only the agent writes here. A trial is noted before it runs, so whatever moment a crash takes, the
next start finds either the old package or one that has passed its self-test.
"""

import logging
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from agent.update.book import LONGEST_REASON, Bad, Book, Bounds, Installed, Slots, Trial
from broker.wire.files import sweep, write_durably

UPDATES: Final = "updates"  # in the state folder
FILE: Final = "slots.json"
PACKAGES: Final = "packages"
_REMEMBERED: Final = 64  # quarantined digests; the oldest is forgotten
_ATTEMPTS: Final = 3  # self-tests of one package that may end with the agent's own end

_log = logging.getLogger(__name__)


class SlotStore:
    """The slots of all packages of a board. Use from one thread.

    Args:
        folder: Of the updates; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lost = False  # the file could not be read: the factory's packages run
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / FILE
        sweep(folder, FILE)
        self._book = self._read()
        self._unsaved = False  # the disk refused what holds already

    @property
    def book(self) -> Book:
        """What is noted."""
        return self._book

    def session(self, now_s: float) -> int:
        """A number that rises with each start, and that no lost state makes smaller."""
        number = max(int(now_s), self._book.session + 1)
        try:
            self._write(replace(self._book, session=number))
        except OSError as error:  # the clock counts on
            _log.warning("%s cannot be written: %s", self._path, error)
        return number

    def of(self, package: str) -> Slots:
        """The slots of a package."""
        return self._book.packages.get(package, Slots())

    def place(self, digest: str) -> Path:
        """Where the package of a digest lies."""
        return self.folder / PACKAGES / digest

    def badness(self, digest: str) -> str:
        """Why this board takes a digest no more; empty if it does."""
        return next((each.reason for each in self._book.bad if each.digest == digest), "")

    def attempt(self, digest: str) -> bool:
        """Note that a self-test begins; false if too many have not ended, and it is quarantined.

        Raises:
            OSError: it cannot be noted.
        """
        begun = self._book.attempts.get(digest, 0)
        if begun >= _ATTEMPTS:
            self.condemn(digest, f"the agent ended {begun} times while it was tested")
            return False
        self._write(replace(self._book, attempts={**self._book.attempts, digest: begun + 1}))
        return True

    def begin(self, installed: Installed, bounds: Bounds) -> None:
        """Put a package that has passed its self-test on trial.

        Raises:
            OSError: it cannot be noted, so it must not run.
        """
        slots = replace(self.of(installed.package), trial=Trial(installed=installed, bounds=bounds))
        self._write(self._ended(installed.digest, installed.package, slots))

    def started(self) -> dict[str, str]:
        """Count a start of the agent for each trial; give back the packages whose trial it ended.

        A start that cannot be counted might be one of endless many, so the trial does not run.
        """
        ended: dict[str, str] = {}
        for package, slots in self._book.packages.items():
            if (trial := slots.trial) is None:
                continue
            reason = f"the agent was started {trial.starts + 1} times in its trial"
            try:
                if trial.starts >= trial.bounds.restarts:
                    self.reject(package, reason)
                    ended[package] = reason
                    continue
                counted = replace(slots, trial=replace(trial, starts=trial.starts + 1))
                self._write(self._with(package, counted))
            except OSError as error:
                _log.error("%s: its trial waits, for nothing can be noted: %s", package, error)
                ended[package] = f"its start could not be noted: {error.strerror}"
                self._book = self._with(package, replace(self.of(package), trial=None))
        return ended

    def accept(self, package: str) -> None:
        """The trial is over, and well.

        Raises:
            OSError: it cannot be noted; the trial goes on.
        """
        slots = self.of(package)
        if slots.trial is not None:
            done = Slots(current=slots.trial.installed, previous=slots.current)
            self._write(self._with(package, done))

    def reject(self, package: str, reason: str) -> None:
        """The trial has failed: never again this digest.

        Raises:
            OSError: it cannot be noted.
        """
        slots = self.of(package)
        if slots.trial is not None:
            digest = slots.trial.installed.digest
            self._go_back(
                self._condemned(digest, reason, self._with(package, replace(slots, trial=None)))
            )

    def withdraw(self, package: str) -> None:
        """The operator wants no trial of it now; nothing is wrong with it.

        Raises:
            OSError: it cannot be noted.
        """
        self._go_back(self._with(package, replace(self.of(package), trial=None)))

    def drop(self, package: str, digest: str, reason: str) -> None:
        """A package that is no trial can run no more: the one before it does.

        Raises:
            OSError: it cannot be noted.
        """
        slots = self.of(package)
        if slots.current is not None and slots.current.digest == digest:
            slots = replace(slots, current=slots.previous, previous=None)
        elif slots.previous is not None and slots.previous.digest == digest:
            slots = replace(slots, previous=None)
        self._go_back(self._condemned(digest, reason, self._with(package, slots)))

    def condemn(self, digest: str, reason: str) -> None:
        """Quarantine a digest that never ran.

        Raises:
            OSError: it cannot be noted.
        """
        self._write(self._condemned(digest, reason, self._book))

    def forgive(self, digest: str) -> None:
        """A self-test has ended without a word against the package.

        Raises:
            OSError: it cannot be noted.
        """
        if digest in self._book.attempts:
            attempts = {name: n for name, n in self._book.attempts.items() if name != digest}
            self._write(replace(self._book, attempts=attempts))

    def _ended(self, digest: str, package: str, slots: Slots) -> Book:
        attempts = {name: n for name, n in self._book.attempts.items() if name != digest}
        return replace(self._with(package, slots), attempts=attempts)

    def _with(self, package: str, slots: Slots) -> Book:
        return replace(self._book, packages={**self._book.packages, package: slots})

    def _condemned(self, digest: str, reason: str, book: Book) -> Book:
        bad = Bad(digest=digest, reason=reason[:LONGEST_REASON])
        others = tuple(each for each in book.bad if each.digest != digest)
        attempts = {name: n for name, n in book.attempts.items() if name != digest}
        return replace(book, bad=(*others, bad)[-_REMEMBERED:], attempts=attempts)

    def flush(self) -> None:
        """Note what could not be noted when it happened.

        Raises:
            OSError: it still cannot.
        """
        if self._unsaved:
            self._write(self._book)

    def _write(self, book: Book) -> None:
        write_durably(self._path, book.write())
        self._book, self._unsaved = book, False

    def _go_back(self, book: Book) -> None:
        """What fails must not run on because the disk is full: it holds at once, noted or not."""
        self._book, self._unsaved = book, True
        self._write(book)

    def _read(self) -> Book:
        try:
            return _read(self._path)
        except (OSError, ValueError) as error:
            self.lost = True
            _log.error("%s cannot be read, the factory's models run: %s", self._path, error)
            return Book()


def folders(book: Book, folder: Path) -> dict[str, list[Path]]:
    """Where the candidates of each package lie, the first that may run first."""
    return {
        package: [folder / PACKAGES / each.digest for each in slots.candidates]
        for package, slots in book.packages.items()
    }


def held(folder: Path) -> dict[str, list[Path]]:
    """The candidates noted in a folder, which stays untouched; none if it cannot be read."""
    try:
        return folders(_read(folder / FILE), folder)
    except (OSError, ValueError):  # told by who owns the slots
        return {}


def _read(path: Path) -> Book:
    try:
        return Book.read(path.read_bytes())
    except FileNotFoundError:
        return Book()
