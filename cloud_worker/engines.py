"""The threads that large models run in. An engine releases the interpreter while it computes.

Job --put--> [thread: model] --Finished--> the loop's queue
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread

from broker.wire.messages import Refused, dump_reply
from cloud_worker.errors import UnfitQuestionError
from cloud_worker.letters import Job, Reason

_LONGEST_REASON = 256  # characters: `broker.wire.messages`

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A reply in plain, to be sealed."""

    reason: Reason
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """A model is done with a question."""

    job: Job
    written: Written


class Engines:
    """A fixed number of threads. The caller bounds what it puts.

    Daemons: a model that never returns must not keep a worker from stopping.

    Args:
        concurrency: How many threads.
        sink: Takes what is finished, on an engine's thread; must only put it into a queue.
    """

    def __init__(self, *, concurrency: int, sink: Callable[[Finished], None]) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._sink = sink
        for number in range(concurrency):
            Thread(target=self._work, name=f"engine-{number}", daemon=True).start()

    def put(self, job: Job) -> None:
        """Have a question answered."""
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            self._sink(Finished(job, answer(job)))


def answer(job: Job) -> Written:
    """Ask the model, and write down what it says."""
    try:
        reply = job.completer.complete(job.question)
        return Written(Reason.ANSWERED, dump_reply(reply))  # which refuses what no reply may hold
    except UnfitQuestionError as error:
        refusal = Refused(str(error)[:_LONGEST_REASON])
    except Exception as error:  # noqa: BLE001 - the outermost loop; models are foreign code
        # Without its message and trace, which may hold what was asked.
        _log.error("%s failed: %s", job.completer.model, type(error).__name__)
        refusal = Refused("the model failed")
    return Written(Reason.REFUSED, dump_reply(refusal))
