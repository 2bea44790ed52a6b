"""Whether a model server is there: looked at from time to time, and whenever in doubt.

there --10 s idle, or a question cannot be put--> look --fails--> away --look, every 2 s--> there

A server that is at work is there: some answer one request at a time, and would be late with a look.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from cloud_worker.errors import SaturatedError, UnusableReplyError

AGAIN_S = 2.0  # between two looks at a server that is away
_END_S = 1.0  # for a look that is under way; the thread is a daemon

# The models that the server lists. Raises SaturatedError: away; UnusableReplyError: there.
Look = Callable[[], tuple[str, ...]]

_log = logging.getLogger(__name__)


class Watch:
    """Knows whether a server is there. Use from any thread.

    Args:
        model: Which model it shall have.
        place: The server, in words.
        look: Asks it.
        calm_s: Between two looks while it is there, and nobody asks it.
    """

    def __init__(self, *, model: str, place: str, look: Look, calm_s: float) -> None:
        self._model, self._place, self._look, self._calm_s = model, place, look, calm_s
        self._doubt, self._closed = Event(), False
        self._at_work, self._lock = 0, Lock()
        self._away = False
        self._told = ""
        self._thread = Thread(target=self._run, name=f"watch {place}", daemon=True)

    def start(self) -> None:
        """Look now and then, and whenever in doubt, until `close`."""
        self._see()
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        self._doubt.set()
        self._thread.join(_END_S)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A question is being put: no look is due because of the time."""
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1

    def away(self) -> bool:
        """Whether the last look found nobody."""
        return self._away

    def doubt(self) -> bool:
        """Nobody was reached: look again soon; return whether that is known already."""
        self._doubt.set()
        return self._away

    def _run(self) -> None:
        while not self._closed:
            doubted = self._doubt.wait(AGAIN_S if self._away else self._calm_s)
            self._doubt.clear()
            is_due = doubted or self._away or not self._at_work
            if is_due and not self._closed:
                self._see()

    def _see(self) -> None:
        try:
            names = self._look()
        except SaturatedError as error:
            self._away = True
            self._tell(f"is away ({error}), so {self._model} is busy")
        except UnusableReplyError as error:
            self._away = False
            self._tell(f"is there, but does not list its models: {error}")
        else:
            self._away = False
            known = ", ".join(sorted(names)) or "none at all"
            self._tell("" if self._model in names else f"has no model {self._model}, but {known}")

    def _tell(self, problem: str) -> None:
        if problem and problem != self._told:
            _log.warning("the model server %s %s", self._place, problem)
        elif self._told and not problem:
            _log.info("the model server %s is well again", self._place)
        self._told = problem
