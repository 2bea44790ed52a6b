"""A worker that answers each question with itself: everything but a model.

Run as `python -m firstline.bench.echo_worker KEYS HOST PORT [tls]`, until SIGTERM.
"""

import signal
import sys
import tempfile
from pathlib import Path

from broker.wire.credentials import load_worker
from broker.wire.tls import TlsFiles
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.bench.fleet import ECHO


def main() -> None:
    """Serve until SIGTERM."""
    keys, host, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    limits, tls = Limits(), TlsFiles.of(keys) if "tls" in sys.argv[4:] else None
    with tempfile.TemporaryDirectory() as folder, ClaimStore(Path(folder) / "claims.db") as store:
        worker = Worker(
            credentials=load_worker(keys),
            devices=Devices(keys),
            completers={ECHO: echo()},
            store=store,
            limits=limits,
        )
        service = WorkerService(worker=worker, address=worker_address(host, port, limits, tls=tls))
        signal.signal(signal.SIGTERM, lambda *_: service.stop())
        service.run()


if __name__ == "__main__":
    main()
