"""What devices have said of their updates, proven, the latest of each; kept over restarts.

    DIR/releases/reports.json    {"<device>": UpdateReport}

The broker can hold a report back or bring an old one again; it can neither write one nor have an
older one taken for the latest.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.wire.document import Document
from broker.wire.errors import EnvelopeError
from broker.wire.roster import Roster
from broker.wire.topics import parse_device_update
from broker.wire.update_report import UpdateReport, open_report

FILE: Final = "reports.json"
FORGED: Final = "reports_forged"
OLDER: Final = "reports_older"


class _Kept(Document, frozen=True):
    devices: dict[str, UpdateReport]


class Reports:
    """The latest report of each device.

    Args:
        folder: Where they are kept.

    Raises:
        NotAFleetError: the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known = dict(_read(self._path))
        self._kept = True
        self.counters: Counter[str] = Counter()

    @property
    def latest(self) -> Mapping[str, UpdateReport]:
        """By device."""
        return MappingProxyType(self._known)

    def take(self, topic: str, payload: bytes, roster: Roster) -> UpdateReport | None:
        """Take a message; the report, if it is one, true, and later than the last."""
        device = parse_device_update(topic)
        if device is None or not payload:  # empty: the retained one was taken away
            return None
        try:
            report = open_report(payload, roster, device)
        except EnvelopeError:
            self.counters[FORGED] += 1
            return None
        known = self._known.get(device)
        if known is not None and report.order <= known.order:
            self.counters[OLDER] += report != known  # the retained one comes at each connect
            return None
        self._known[device] = report
        self._kept = False
        return report

    def reload(self) -> None:
        """Take what another process has kept since.

        Raises:
            NotAFleetError: the file is damaged.
        """
        for device, report in _read(self._path).items():
            known = self._known.get(device)
            if known is None or report.order > known.order:
                self._known[device] = report

    def keep(self) -> None:
        """Store what was taken since the last time.

        Raises:
            OSError: the disk refused.
        """
        if not self._kept:
            make_private(self._path.parent)
            store(self._path, _Kept(devices=self._known).write())
            self._kept = True


def _read(path: Path) -> dict[str, UpdateReport]:
    try:
        return _Kept.read(path.read_bytes()).devices
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotAFleetError(
            f"{path}: {error}. Delete it: the broker has what the devices said last"
        ) from error
