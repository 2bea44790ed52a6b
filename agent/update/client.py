"""TUF's own client, unmodified, with two of our rules: what time it is, and what its errors mean.

It takes the time from the machine when it is made and has no setting for that, so we set it where
it keeps it. Only this module looks there, and it refuses to run where that place is gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import (
    DownloadError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from agent.update.errors import ExpiredError, NotHeardError, RefusedError
from agent.update.line import LineClosedError

_BASE: Final = "mqtt:"  # of the addresses that the fetcher gets
_MOST_DELEGATIONS: Final = 4  # there is one
_LAST_S: Final = 253_402_300_799.0  # 9999-12-31: later dates do not exist in Python


class Client:
    """One look at what is signed.

    Args:
        folder: Metadata of earlier looks; this one adds to it, not durably.
        fetcher: Brings what is not there.
        root: A TUF root that somebody else vouches for.
        now_s: What time it is, Unix time; whatever the machine's clock says.

    Raises:
        RefusedError: that root is none.
    """

    def __init__(
        self, folder: Path, fetcher: FetcherInterface, root: bytes, *, now_s: float
    ) -> None:
        config = UpdaterConfig(max_delegations=_MOST_DELEGATIONS)
        with translated():
            self._updater = Updater(
                str(folder), _BASE, fetcher=fetcher, config=config, bootstrap=root
            )
        self._set = self._updater._trusted_set  # noqa: SLF001 - see above
        if not isinstance(getattr(self._set, "reference_time", None), datetime):
            raise TypeError("this version of python-tuf keeps its time elsewhere")
        self.set_time(now_s)

    def set_time(self, now_s: float) -> None:
        """Have it be another time from now on."""
        self._set.reference_time = datetime.fromtimestamp(min(now_s, _LAST_S), UTC)

    def refresh(self) -> None:
        """Bring everything that is not delegated up to date. Once.

        Raises:
            UpdateError: it cannot be had, or is not to be taken.
            LineClosedError: there is no agent any more.
        """
        with translated():
            self._updater.refresh()

    def find(self, path: str) -> TargetFile | None:
        """What is said of a target, by whoever may.

        Raises:
            UpdateError: it cannot be had, or is not to be taken.
            LineClosedError: there is no agent any more.
        """
        with translated():
            return self._updater.get_targetinfo(path)

    @property
    def root(self) -> Root:
        """The newest that was verified."""
        return self._set.root

    @property
    def timestamp(self) -> Timestamp:
        """After `refresh`."""
        return self._set.timestamp

    @property
    def snapshot(self) -> Snapshot:
        """After `refresh`."""
        return self._set.snapshot

    @property
    def targets(self) -> Targets:
        """What the offline keys vouch for; after `refresh`."""
        return self._set.targets

    def expired(self) -> list[str]:
        """The roles that are over by now."""
        roles = (self.root, self.timestamp, self.snapshot, self.targets)
        return [role.type for role in roles if role.is_expired(self._set.reference_time)]


@contextmanager
def translated() -> Iterator[None]:
    """TUF's errors as ours.

    Raises:
        UpdateError: instead of TUF's own.
    """
    try:
        yield
    except ExpiredMetadataError as error:
        raise ExpiredError(str(error)) from error
    except RepositoryError as error:
        raise RefusedError(str(error)) from error
    except DownloadLengthMismatchError as error:
        raise RefusedError(f"not of the length that it may have: {error}") from error
    except DownloadError as error:
        if isinstance(error.__cause__, LineClosedError):
            raise error.__cause__ from None
        raise NotHeardError(f"{error}" if str(error) else type(error).__name__) from error
