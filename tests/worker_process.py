"""A worker in a process of its own, to be told to stop, or killed.

    python -m tests.worker_process KEYS CLAIMS HOST PORT GATE

It echoes, and answers nothing while there is no file GATE.
"""

import signal
import sys
import time
from pathlib import Path

from broker.wire.credentials import load_worker
from broker.wire.messages import Answer, Question
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Engine, echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from tests.asker import DOMAIN


def main() -> None:
    """Serve until SIGTERM."""
    keys, claims, host, port, gate = sys.argv[1:]
    limits = Limits(drain_s=60.0)

    def slowly(question: Question, deadline_s: float) -> Answer:
        while not Path(gate).exists():
            time.sleep(0.02)
        return echo().complete(question, deadline_s)

    with ClaimStore(Path(claims)) as store:
        worker = Worker(
            credentials=load_worker(Path(keys)),
            devices=Devices(Path(keys)),
            completers={DOMAIN: Engine("slow echo", slowly)},
            store=store,
            limits=limits,
        )
        service = WorkerService(worker=worker, address=worker_address(host, int(port), limits))
        signal.signal(signal.SIGTERM, lambda *_: service.stop())
        service.run()


if __name__ == "__main__":
    main()
