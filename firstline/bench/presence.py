"""Tells when an agent came online, in a process that is gone when the agent is weighed.

Run as `python -m firstline.bench.presence HOST PORT SESSION`: prints "ready", then the time
(CLOCK_MONOTONIC, seconds) at which a device announced that session.
"""

import sys
import time
from queue import Empty, SimpleQueue

from broker.wire.session import Address, Event, Online, Received, Session

_PATIENCE_S = 30.0


def main() -> int:
    """Listen once; 1 if nobody came."""
    host, port, session = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    birth = f'"session": {session}, "online": true'.encode()  # no retained one of a run before
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id="bench-presence")
    with Session(address, subscriptions=["fl/v1/+/dev/+/state"], sink=heard.put):
        try:
            while not isinstance(heard.get(timeout=_PATIENCE_S), Online):
                pass
            time.sleep(0.2)  # until the broker has taken the subscription
            _say("ready")
            while not _is(heard.get(timeout=_PATIENCE_S), birth):
                pass
        except Empty:
            return 1
        _say(str(time.monotonic()))
    return 0


def _is(event: Event, birth: bytes) -> bool:
    return isinstance(event, Received) and birth in event.payload


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
