"""Tells an operator how many questions were dropped that no device of ours would send."""

import logging
from collections import Counter

from cloud_worker.letters import Reason

_SUSPICIOUS = (
    Reason.TOPIC,
    Reason.ENVELOPE,
    Reason.DEVICE,
    Reason.SIGNATURE,
    Reason.KEY,
)

_log = logging.getLogger(__name__)


class DropLog:
    """Logs counts when they have changed, however many questions that were."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def tell(self, counters: Counter[str]) -> None:
        """Log the counts, if they are not those of the last time."""
        dropped = {reason.value: counters[reason] for reason in _SUSPICIOUS if counters[reason]}
        if dropped != self._told:
            told = {"event": "dropped", "dropped": dropped}
            _log.warning("questions dropped since the start: %s", dropped, extra=told)
            self._told = dropped
