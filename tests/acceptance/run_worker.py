"""A worker whose model repeats what it reads, and takes its time.

    python -m tests.acceptance.run_worker FOLDER PORT PAUSE_S [DOMAIN ...]

Of a record it repeats the fields, of a window the channels' names. Each answer that the model makes
is noted in `FOLDER/work.log`.
"""

import os
import signal
import sys
import time
from pathlib import Path

from broker.wire.credentials import load_worker
from broker.wire.messages import Answer, Question
from broker.wire.payload import Payload, Record, Text, Window
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Engine
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from tests.asker import DOMAIN

CONCURRENCY = 2


def main() -> None:
    """Serve until SIGTERM."""
    folder, port, pause_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    log = os.open(folder / "work.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def repeat(question: Question, _deadline_s: float) -> Answer:
        time.sleep(pause_s)
        text = _written(question.payload)
        os.write(log, f"{text}\n".encode())
        return Answer(f"cloud {text}", "repeater 1", 1.0)

    engine = Engine("repeater 1", repeat, concurrency=CONCURRENCY)
    limits = Limits(queue=32, retry_after_s=0.2, drain_s=2.0)
    with ClaimStore(folder / "claims.db") as store:
        worker = Worker(
            credentials=load_worker(folder / "keys"),
            devices=Devices(folder / "keys"),
            completers=dict.fromkeys(sys.argv[4:] or [DOMAIN], engine),
            store=store,
            limits=limits,
        )
        service = WorkerService(worker=worker, address=worker_address("127.0.0.1", port, limits))
        signal.signal(signal.SIGTERM, lambda *_: service.stop())
        service.run()


def _written(payload: Payload) -> str:
    match payload:
        case Text(text):
            return text
        case Record(fields):
            return ", ".join(f"{name}: {value}" for name, value in fields.items())
        case Window(channels=channels):
            return ", ".join(channels)


if __name__ == "__main__":
    main()
