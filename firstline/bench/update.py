"""What an update costs: how often the operator sends a file, how often a board receives it.

    operator --> counting proxy --> mosquitto --> counting proxy that cuts --> boards, processes

Blocks are published once; what is beyond the broker's budget is served when boards ask. A tenth of
the boards come when the others are done. Bytes are counted on the wire, whatever they are for.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.fleet.keys import init
from broker.fleet.mosquitto import LOOPBACK, running_broker
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.publish import Releases
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.serve import Budget, Server, subscription
from broker.fleet.releases.stock import Stock
from broker.fleet.root import open_root
from broker.package.files import sha256
from broker.wire.release import Choice, Needs, Rollout, digest
from broker.wire.session import Address
from broker.wire.topics import FleetId
from broker.wire.vouched import plan_path
from firstline.bench.figures import ON_DISK
from firstline.bench.tcp_proxy import TcpProxy
from firstline.bench.update_board import GROUP, PACKAGE

_FLEET = FleetId("bench")
_MB = 1_000_000
_WEIGHTS = "model.gguf"
_LATE = 10  # one board of so many comes when the others are done
_PATIENCE_S = 120.0  # until the broker is filled
_CUT_CHANCE = 0.02  # for each MiB that a connection has brought


class UpdateBenchError(Exception):
    """A board did not finish."""


@dataclass(frozen=True, slots=True)
class Update:
    """The figures."""

    devices: int
    size_mb: float  # of the file
    publisher_egress_ratio: float  # bytes that the operator sent, by the file's
    device_refetch_ratio: float  # bytes that a board received on average, by the file's
    wall_s: float  # from the release to the last board, late ones included
    peak_rss_mb: float  # MiB: the most that a download added to a board's memory
    updater_rss_mb: float  # MiB: the most that a whole updater had, Python and all
    all_identical: bool  # every file on every board
    cuts: int  # connections that were cut off
    blocks_wanted: int  # that boards asked the operator for
    late: int  # boards that came when the others were done


def measure(devices: int, size_mb: int, progress: Callable[[int], None]) -> Update:
    """Release one file to boards.

    Raises:
        UpdateBenchError: a board did not finish.
    """
    with tempfile.TemporaryDirectory(dir=ON_DISK) as name:
        folder = Path(name)
        truth = _release(folder, size_mb * _MB)
        with (
            running_broker(folder / "broker") as broker,
            TcpProxy((LOOPBACK, broker.port)) as out,
            TcpProxy((LOOPBACK, broker.port), cut_chance=_CUT_CHANCE) as link,
        ):
            started_s = time.monotonic()
            late = devices // _LATE
            with _operator(folder, out.port):
                told = _boards(folder, link.port, range(devices - late), progress)
                told += _boards(folder, link.port, range(devices - late, devices), progress)
            wall_s = time.monotonic() - started_s
            sent, brought, cuts = out.sent_bytes, link.brought_bytes, link.cut_off
    size = size_mb * _MB
    return Update(
        devices=devices,
        size_mb=size_mb,
        publisher_egress_ratio=round(sent / size, 4),
        device_refetch_ratio=round(brought / devices / size, 4),
        wall_s=round(wall_s, 1),
        peak_rss_mb=round(max(each["peak_mb"] - each["idle_mb"] for each in told), 1),
        updater_rss_mb=round(max(each["peak_mb"] for each in told), 1),
        all_identical=all(each["digests"] == truth for each in told),
        cuts=cuts,
        blocks_wanted=sum(each["wanted"] for each in told),
        late=late,
    )


def _release(folder: Path, size: int) -> dict[str, str]:
    """Sign a package with one big file; the digests of its files."""
    package, fleet = folder / "package", folder / "fleet"
    package.mkdir()
    with (package / _WEIGHTS).open("wb") as file:
        for at in range(0, size, _MB):
            file.write(os.urandom(min(_MB, size - at)))
    (package / "package.toml").write_text(f'name = "{PACKAGE}"\n', encoding="utf-8")
    init(fleet, _FLEET)
    repository = Repository(fleet)
    repository.begin(open_root(fleet), now_s=time.time())
    stock = Stock(fleet)
    head = Head(PACKAGE, "1.0.0", "only", Needs(engine="llama.cpp"))
    made = plan(stock, package, head, told=lambda _line: None)
    document, path = made.write(), plan_path(made)
    stock.put(document)
    repository.vouch({path: document}, passphrase=None, now_s=time.time())
    rollout = Rollout(
        number=1,
        choices=(Choice(path=path, sha256=digest(document)),),
        state="running",
        salt=os.urandom(8).hex(),
        percent=100.0,
    )
    repository.choose(GROUP, PACKAGE, rollout, now_s=time.time())
    return {each.name: sha256(each) for each in package.iterdir()}


@contextmanager
def _operator(folder: Path, port: int) -> Iterator[None]:
    """Publish, and serve what is beyond the budget."""
    over, filled = threading.Event(), threading.Event()
    address = Address(host=LOOPBACK, port=port, client_id="operator")
    releases = Releases(folder / "fleet", _FLEET)
    with Outlet(address, subscriptions=[subscription(_FLEET)]) as outlet:
        server = Server(outlet, releases, budget=Budget(), filled=lambda _done: filled.set())
        thread = threading.Thread(target=server.run, args=(over.is_set,), daemon=True)
        thread.start()
        try:
            if not filled.wait(_PATIENCE_S):
                raise UpdateBenchError("the operator could not publish")
            yield
        finally:
            over.set()
            thread.join()


def _boards(
    folder: Path, port: int, numbers: Sequence[int], progress: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Have boards update, all at once; what each tells."""
    processes = [_board(folder, port, f"board-{number}") for number in numbers]
    try:
        return [_told(process, progress) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _board(folder: Path, port: int, name: str) -> "subprocess.Popen[str]":
    fleet = folder / "fleet"
    arguments = [str(folder / name), str(fleet), _FLEET, name, LOOPBACK, str(port)]
    command = [sys.executable, "-m", "firstline.bench.update_board", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module


def _told(process: "subprocess.Popen[str]", progress: Callable[[int], None]) -> dict[str, Any]:
    words, _ = process.communicate()
    if process.returncode:
        raise UpdateBenchError(f"a board ended with exit status {process.returncode}")
    progress(1)
    told: dict[str, Any] = json.loads(words)
    return told
