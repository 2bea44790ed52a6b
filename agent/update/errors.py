"""Why an update does not go on, split by what the updater does about it.

* UpdateError
  - RefusedError        signed by nobody who may, altered, too old: nothing of it is taken
    - ExpiredError      valid, but over by our idea of the time: ask a worker for the date
  - NotHeardError       the broker does not bring it: try later
  - StoppedError        the release was aborted, replaced or is not ours any more
  - NoSpaceError        the disk cannot hold it
  - ContentError        what is vouched for contradicts itself: it can never be put together
"""


class UpdateError(Exception):
    """An update does not go on."""


class RefusedError(UpdateError):
    """What came may not be taken."""


class ExpiredError(RefusedError):
    """What came is over by our idea of the time, or our idea of the time is wrong."""


class NotHeardError(UpdateError):
    """The broker does not bring what is needed."""


class StoppedError(UpdateError):
    """Somebody wants it no longer. What was downloaded stays for the next time."""


class NoSpaceError(UpdateError):
    """The disk cannot hold it."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"it takes {needed} bytes of the disk, and {free} are free")
        self.needed = needed  # bytes
        self.free = free  # bytes


class ContentError(UpdateError):
    """What is vouched for contradicts itself."""
