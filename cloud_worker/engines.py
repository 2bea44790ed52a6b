"""The threads that large models run in. An engine releases the interpreter while it computes.

    Job --put--> turns --> [ engine: its own threads ] --Finished--> the loop's queue

Each engine has threads of its own: a slow one keeps no question of another waiting.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Thread

from broker.wire.envelope import MAX_REPLY_BYTES
from broker.wire.messages import Refused, dump_reply
from cloud_worker.errors import SaturatedError, UnfitQuestionError, UnusableReplyError
from cloud_worker.letters import Job, Reason
from cloud_worker.models import Engine
from cloud_worker.turns import Turns

_LONGEST_REASON = 256  # characters: `broker.wire.messages`

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A reply in plain, to be sealed, and stored as the one to its question."""

    reason: Reason
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Postponed:
    """No reply yet: the device shall ask again, and nothing is stored."""

    reason: Reason
    retry_after_s: float  # at least


Said = Written | Postponed


@dataclass(frozen=True, slots=True)
class Finished:
    """A model is done with a question."""

    job: Job
    said: Said
    waited_s: float  # for a thread of the engine
    took_s: float  # for the model; 0: it was not asked


class Engines:
    """A fixed number of threads for each engine. The caller bounds what it puts.

    Daemons: a model that never returns must not keep a worker from stopping.

    Args:
        engines: The models.
        sink: Takes what is finished, on an engine's thread; must only put it into a queue.
    """

    def __init__(self, engines: Iterable[Engine], *, sink: Callable[[Finished], None]) -> None:
        self._sink = sink
        self._lanes: dict[Engine, Turns] = {}
        for engine in engines:
            lane = self._lanes[engine] = Turns()
            for number in range(engine.concurrency):
                name = f"{engine.model} {number}"
                Thread(target=self._work, args=(lane,), name=name, daemon=True).start()

    def put(self, job: Job, engine: Engine, deadline_s: float) -> None:
        """Have a question answered; `deadline_s` is monotonic time, after which nobody waits."""
        self._lanes[engine].put(job, deadline_s)

    def waiting(self) -> dict[Engine, int]:
        """How many questions wait for a thread, for each engine."""
        return {engine: lane.waiting() for engine, lane in self._lanes.items()}

    def _work(self, lane: Turns) -> None:
        while True:
            self._sink(_finished(*lane.take()))


def _finished(job: Job, put_s: float, deadline_s: float) -> Finished:
    begun_s = time.monotonic()
    if begun_s < deadline_s:
        said = answer(job, deadline_s)
        return Finished(job, said, begun_s - put_s, time.monotonic() - begun_s)
    # It waited too long: a model's time is worth more.
    return Finished(job, Postponed(Reason.LATE, 0.0), begun_s - put_s, 0.0)


def answer(job: Job, deadline_s: float) -> Said:
    """Ask the model, and write down what it says; `deadline_s` is monotonic time."""
    try:
        reply = job.completer.complete(job.question, deadline_s)
        return _written(dump_reply(reply))  # which refuses what no reply may hold
    except SaturatedError as error:
        return Postponed(Reason.SATURATED, error.retry_after_s)
    except UnusableReplyError as error:
        return _refused(Reason.UNUSABLE, str(error))
    except UnfitQuestionError as error:
        return _refused(Reason.REFUSED, str(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop; models are foreign code
        # Without its message and trace, which may hold what was asked.
        _log.error("%s failed: %s", job.completer.model, type(error).__name__)
        return _refused(Reason.REFUSED, "the model failed")


def _written(body: bytes) -> Written:
    if len(body) > MAX_REPLY_BYTES:  # no device would open it
        why = f"the answer is too long: {len(body)} bytes, and at most {MAX_REPLY_BYTES} can travel"
        return _refused(Reason.REFUSED, why)
    return Written(Reason.ANSWERED, body)


def _refused(reason: Reason, why: str) -> Written:
    return Written(reason, dump_reply(Refused(why[:_LONGEST_REASON])))
