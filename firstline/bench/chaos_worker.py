"""A worker of `bench chaos`: it repeats what it reads, and takes its time.

    python -m firstline.bench.chaos_worker FOLDER HOST:PORT PAUSE_S

Each answer that its model makes is noted in `FOLDER/work.log`, and differs from all others: that
two were delivered could not be seen otherwise.
"""

import os
import signal
import sys
import time
from pathlib import Path

from broker.wire.credentials import load_worker
from broker.wire.messages import Answer, Question
from broker.wire.payload import Text
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Engine
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.bench.fleet import ECHO
from firstline.bench.programs import place
from firstline.bench.set_clock import SetClock

CONCURRENCY = 2


def serve(folder: Path, where: tuple[str, int], pause_s: float) -> None:
    """Serve until SIGTERM."""
    log = os.open(folder / "work.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def repeat(question: Question, _deadline_s: float) -> Answer:
        time.sleep(pause_s)
        text = question.payload.text if isinstance(question.payload, Text) else ""
        os.write(log, f"{text}\n".encode())
        return Answer(f"cloud {text}, {os.urandom(4).hex()}", "repeater 1", 1.0)

    limits = Limits(queue=32, retry_after_s=0.2, drain_s=2.0)
    with ClaimStore(folder / "claims.db") as store:
        worker = Worker(
            credentials=load_worker(folder / "keys"),
            devices=Devices(folder / "keys"),
            completers={ECHO: Engine("repeater 1", repeat, concurrency=CONCURRENCY)},
            store=store,
            limits=limits,
        )
        service = WorkerService(
            worker=worker,
            address=worker_address(*where, limits),
            now_s=SetClock(folder / "clock").now_s,
        )
        signal.signal(signal.SIGTERM, lambda *_: service.stop())
        service.run()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), place(sys.argv[2]), float(sys.argv[3]))
