"""One board's updater for `bench update`: signed metadata, a plan, its blocks, a package.

Run as `python -m firstline.bench.update_board FOLDER KEYS FLEET DEVICE HOST PORT`; prints a line
of JSON: what it weighed before the download and at most, and what it received.
"""

import json
import os
import sys
import time
from pathlib import Path

from agent.update.assemble import Assembly, OnBoard
from agent.update.blocks import BlockStore
from agent.update.cache import Cache
from agent.update.date import Date
from agent.update.download import Download
from agent.update.errors import NotHeardError
from agent.update.fetcher import MqttFetcher
from agent.update.floor import Floor
from agent.update.line import Line
from agent.update.trust import Trust
from agent.update.window import Window
from broker.fleet.root import read_public
from broker.package.files import sha256
from broker.wire.release import Choice, PackagePlan
from broker.wire.session import Address
from broker.wire.topics import DeviceId, FleetId
from firstline.bench.proc import memory_mb
from firstline.bench.update_line import session_line

GROUP, PACKAGE = "all", "bench"


def main() -> None:
    """Update once."""
    folder, root, fleet, device, host, port = sys.argv[1:]
    home = Path(folder)
    home.mkdir()
    address = Address(host=host, port=int(port), client_id=device)
    with session_line(address) as line:
        choice, plan = _told(line, home, Path(root), FleetId(fleet))
        idle_mb, started_s = memory_mb(os.getpid(), "VmRSS"), time.monotonic()
        store = BlockStore(home / "blocks")
        window = Window(
            line=line, fleet=FleetId(fleet), device=DeviceId(device), stop=lambda _heard: False
        )
        download = Download(window=window, store=store, progress=lambda _done, _all: None)
        assembly = Assembly(
            folder=home / "packages", store=store, download=download, board=OnBoard(())
        )
        package = assembly.assemble(plan, choice.sha256)
        found = {
            "idle_mb": idle_mb,
            "peak_mb": memory_mb(os.getpid(), "VmHWM"),
            "download_s": time.monotonic() - started_s,
            "received_bytes": window.counters["bytes"],
            "wanted": window.counters["blocks_wanted"],
            "digests": {path.name: sha256(path) for path in package.iterdir()},
        }
    sys.stdout.write(json.dumps(found) + "\n")


def _told(line: Line, home: Path, root: Path, fleet: FleetId) -> tuple[Choice, PackagePlan]:
    """What is signed for us."""
    fetcher = MqttFetcher(line, fleet)
    while True:
        with Trust(
            cache=Cache(home / "tuf"),
            root=read_public(root),
            fetcher=fetcher,
            floor=Floor(home / "floor", os.urandom(32)),
            date=Date(0.0, time.time),
        ) as trust:
            try:
                trust.refresh()
            except NotHeardError:  # a cut, or it is not published yet
                continue
            rollout = trust.rollout(GROUP, PACKAGE)
            if rollout is not None:
                choice = rollout.choices[0]
                return choice, trust.plan(choice, group=GROUP, package=PACKAGE)


if __name__ == "__main__":
    main()
