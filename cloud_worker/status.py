"""A worker's pages: /healthz for who restarts it, /readyz for who routes to it.

/healthz  200  its loop turns             503  it hangs: start it anew
/readyz   200  it can answer a question   503  it cannot now, and which check says so
"""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from broker.pages import JSON, Look, Page
from cloud_worker.vitals import Check, Vitals, alive, readiness


class Status:
    """Judges a worker's vitals. May be used from any thread.

    Args:
        vitals: The newest.
        hang_s: For how long its loop may be silent.
        now_s: Unix time, seconds.
    """

    def __init__(
        self,
        vitals: Callable[[], Vitals],
        *,
        hang_s: float,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._vitals, self._hang_s, self._now_s = vitals, hang_s, now_s

    def checks(self) -> tuple[Check, ...]:
        """What an answer needs, and whether it is there."""
        return readiness(
            self._vitals(),
            steady_s=time.monotonic(),
            now_s=self._now_s(),
            hang_s=self._hang_s,
        )

    def pages(self) -> Mapping[str, Look]:
        """Both pages."""
        return {"/healthz": self._health, "/readyz": lambda: _page(self.checks())}

    def _health(self) -> Page:
        check = alive(self._vitals(), steady_s=time.monotonic(), hang_s=self._hang_s)
        return _page((check,))


def _page(checks: tuple[Check, ...]) -> Page:
    passed = all(check.passed for check in checks)
    document = {"ok": passed, "checks": {check.name: check.state for check in checks}}
    status = HTTPStatus.OK if passed else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, JSON, json.dumps(document).encode() + b"\n")
