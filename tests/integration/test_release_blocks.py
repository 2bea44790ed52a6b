"""Blocks through a real broker: published once, served on request, and there again after a loss."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.update.assemble import Assembly, OnBoard
from agent.update.blocks import BlockStore
from agent.update.download import Download
from agent.update.window import Patience, Window
from broker.fleet.errors import NotAFleetError
from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.publish import Filled, Releases, fill
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.serve import Budget, Server, subscription
from broker.fleet.releases.stock import Stock
from broker.fleet.root import Root
from broker.wire.release import BLOCK_BYTES, Needs, PackagePlan, Wants, digest
from broker.wire.session import Address
from broker.wire.topics import DeviceId, device_wants
from broker.wire.vouched import plan_path
from firstline.bench.programs import BrokerProgram
from firstline.bench.update_line import SessionLine, session_line
from tests.blocks import some_bytes
from tests.releases import FLEET, GROUP, NOW_S, PACKAGE, a_rollout, make_repository
from tests.updates import wait_for

pytestmark = pytest.mark.broker

QUICK = Patience(want_s=0.3, again_s=60.0)
PATIENT = Patience(want_s=60.0)  # so that no slow machine is taken for a slow broker
SMALL = Budget(retained_bytes=4 * BLOCK_BYTES, passing_bytes=4 * BLOCK_BYTES)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProgram]:
    broker = BrokerProgram(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


def released(folder: Path, weights: bytes) -> tuple[Releases, PackagePlan]:
    """A fleet in which everybody shall run a package with these weights."""
    make_repository(folder / "fleet")
    releases = Releases(folder / "fleet", FLEET)
    return releases, release(releases, folder, weights)


def release(
    releases: Releases, scratch: Path, weights: bytes, root: Root | None = None
) -> PackagePlan:
    """Have everybody in a fleet run a package; it has releases already unless there is a root."""
    package = scratch / "package"
    package.mkdir()
    (package / "package.toml").write_text('name = "lights"\n')
    (package / "model.onnx").write_bytes(weights)
    repository, stock = Repository(releases.folder), Stock(releases.folder)
    if root is not None:
        repository.begin(root, now_s=NOW_S)
    head = Head(PACKAGE, "1.0.0", "q8", Needs(engine="onnxruntime"))
    made = plan(stock, package, head, told=lambda _line: None)
    stock.put(made.write())
    repository.vouch({plan_path(made): made.write()}, passphrase=None, now_s=NOW_S)
    repository.choose(GROUP, PACKAGE, a_rollout(1, made), now_s=NOW_S)
    return made


def operator(broker: BrokerProgram, *subscriptions: str) -> Outlet:
    address = Address(host=LOOPBACK, port=broker.port, client_id="operator")
    return Outlet(address, subscriptions=subscriptions)


def filled(broker: BrokerProgram, releases: Releases) -> Filled:
    with operator(broker) as outlet:
        return fill(outlet, releases, progress=lambda _done, _all: None)


@contextmanager
def serving(broker: BrokerProgram, releases: Releases, budget: Budget) -> Iterator[Server]:
    """Serve on a thread."""
    over, ready = threading.Event(), threading.Event()
    with operator(broker, subscription(FLEET)) as outlet:
        server = Server(outlet, releases, budget=budget, filled=lambda _done: ready.set())
        thread = threading.Thread(target=server.run, args=(over.is_set,))
        thread.start()
        try:
            assert ready.wait(30.0)
            yield server
        finally:
            over.set()
            thread.join()


@contextmanager
def board(broker: BrokerProgram, name: str = "board-1") -> Iterator[SessionLine]:
    with session_line(Address(host=LOOPBACK, port=broker.port, client_id=name)) as line:
        yield line


def brought(
    line: SessionLine, folder: Path, made: PackagePlan, patience: Patience = PATIENT
) -> tuple[Path, Window]:
    """The package, on a board."""
    store = BlockStore(folder / "blocks")
    device = DeviceId("board-1")
    window = Window(line=line, fleet=FLEET, device=device, stop=lambda _: False, patience=patience)
    download = Download(window=window, store=store, progress=lambda _done, _all: None)
    assembly = Assembly(
        folder=folder / "packages", store=store, download=download, board=OnBoard([])
    )
    return assembly.assemble(made, digest(made.write())), window


def test_a_package_goes_to_the_broker_once_and_to_every_board_whole(
    tmp_path: Path, broker: BrokerProgram
) -> None:
    weights = some_bytes(20 * BLOCK_BYTES + 3)
    releases, made = released(tmp_path, weights)

    first = filled(broker, releases)
    second = filled(broker, releases)

    assert first.published == len(first.retained) == 24  # plan, settings, list and blocks
    assert first.published_bytes < 1.01 * len(weights)
    assert (second.published, second.retained, second.withdrawn) == (0, first.retained, 0)
    for number in range(2):
        with board(broker) as line:
            package, window = brought(line, tmp_path / f"board-{number}", made)
        assert (package / "model.onnx").read_bytes() == weights
        assert window.counters["blocks_wanted"] == 0


def test_a_block_that_is_damaged_in_stock_is_told_until_it_is_mended(
    tmp_path: Path, broker: BrokerProgram
) -> None:
    weights = some_bytes(20 * BLOCK_BYTES + 3)
    releases, made = released(tmp_path, weights)
    stored = Stock(releases.folder).path(hashlib.sha256(weights).hexdigest())
    stored.write_bytes(b"x" + weights[1:])

    for _ in range(2):
        with pytest.raises(NotAFleetError, match=r"^1 blocks of what is released are damaged"):
            filled(broker, releases)
    stored.write_bytes(weights)
    mended = filled(broker, releases)

    assert mended.published == 1  # all others have been there since the first time
    with board(broker) as line:
        package, _ = brought(line, tmp_path / "board", made)
    assert (package / "model.onnx").read_bytes() == weights


def test_a_block_that_is_damaged_after_its_release_is_not_served(
    tmp_path: Path, broker: BrokerProgram
) -> None:
    weights = some_bytes(20 * BLOCK_BYTES + 3)
    releases, _ = released(tmp_path, weights)
    first = hashlib.sha256(weights[:BLOCK_BYTES]).hexdigest()
    stored = Stock(releases.folder).path(hashlib.sha256(weights).hexdigest())

    with serving(broker, releases, SMALL) as server, board(broker) as line:
        stored.write_bytes(b"x" + weights[1:])
        line.say(device_wants(FLEET, DeviceId("board-1")), Wants(blocks=(first,)).write())
        wait_for(lambda: server.counters["blocks_damaged"])

    assert server.counters["blocks_served"] == 0


def test_what_is_beyond_the_budget_is_served_on_request(
    tmp_path: Path, broker: BrokerProgram
) -> None:
    weights = some_bytes(20 * BLOCK_BYTES + 3)
    releases, made = released(tmp_path, weights)

    with serving(broker, releases, SMALL) as server, board(broker) as line:
        package, _ = brought(line, tmp_path / "board", made, QUICK)

    assert (package / "model.onnx").read_bytes() == weights
    assert server.counters["blocks_served"] == 22  # the list and its blocks, each once
    assert server.counters["blocks_withdrawn"] == 22 - 4


@pytest.mark.parametrize("keeps", [True, False])
def test_a_broker_that_comes_back_holds_it_all_again(
    tmp_path: Path, broker: BrokerProgram, *, keeps: bool
) -> None:
    weights = some_bytes(12 * BLOCK_BYTES)
    releases, made = released(tmp_path, weights)
    filled(broker, releases)
    if keeps:
        broker.stop()
    else:
        broker.kill()  # before it has saved anything
    broker.start()

    again = filled(broker, releases)

    assert again.published == (0 if keeps else len(again.retained))
    with board(broker) as line:
        package, window = brought(line, tmp_path / "board", made)
    assert (package / "model.onnx").read_bytes() == weights
    assert window.counters["blocks_wanted"] == 0


def test_a_release_that_is_over_leaves_the_broker(tmp_path: Path, broker: BrokerProgram) -> None:
    releases, _ = released(tmp_path, some_bytes(12 * BLOCK_BYTES))
    before = filled(broker, releases)
    (tmp_path / "later").mkdir()
    later, _ = released(tmp_path / "later", some_bytes(5 * BLOCK_BYTES))
    (later.folder / "releases" / "retained").write_bytes(
        (releases.folder / "releases" / "retained").read_bytes()
    )

    after = filled(broker, later)

    assert after.withdrawn == len(before.retained) - 1  # the settings are the same
    assert after.published == len(after.retained) - 1
