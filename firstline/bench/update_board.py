"""One board's updater for `bench update`: signed metadata, a plan, its blocks, a package.

Run as `python -m firstline.bench.update_board FOLDER KEYS FLEET DEVICE HOST PORT`; prints a line
of JSON: what it weighed before the download and at most, and what it received.
"""

import hashlib
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
from broker.wire.release import Choice, PackagePlan
from broker.wire.session import Address
from broker.wire.topics import DeviceId, FleetId
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
        idle_mb, started_s = _memory_mb("VmRSS"), time.monotonic()
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
            "peak_mb": _memory_mb("VmHWM"),
            "download_s": time.monotonic() - started_s,
            "received_bytes": window.counters["bytes"],
            "wanted": window.counters["blocks_wanted"],
            "digests": {path.name: _digest(path) for path in package.iterdir()},
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


def _memory_mb(what: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(what)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
