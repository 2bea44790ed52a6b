"""Lengths that lie, data without end, and more targets than a board reads."""

from functools import partial

from tuf.api.metadata import Metadata, TargetFile, Targets

from agent.update.errors import NotHeardError, RefusedError, UpdateError
from broker.fleet.errors import FleetError
from broker.fleet.releases.metadata import renewed
from broker.wire import parts
from broker.wire.release import digest
from broker.wire.session import Message
from broker.wire.topics import release_metadata
from broker.wire.vouched import plan_path
from tests.attacks.updates.attack import UpdateAttack, recovered, refused
from tests.attacks.updates.forge import shelf_of, with_targets
from tests.attacks.updates.scene import NEW, NEW_S, NEWEST, Scene
from tests.releases import a_plan

ENDLESS = bytes([parts.MOST_PARTS - 1]) + bytes(parts.PART_BYTES - 1)
TOO_LONG = "not of the length"


def _endless(scene: Scene, name: str) -> str:
    """A file that says that 39 parts follow, and they do, as long as anybody listens."""
    file = name.format(shelf_of(scene).snapshot().signed.version + 1)
    if "snapshot" in name:
        scene.repository.refresh(now_s=NEW_S)
        scene.retain(scene.files())
    topics = [release_metadata(scene.name, file, part) for part in range(parts.MOST_PARTS)]
    scene.broker.publisher.send([Message(topic, ENDLESS, retain=True) for topic in topics])
    scene.line.asked.clear()
    happened = refused(scene, TOO_LONG)
    asked = sum(f"/{file}/" in topic for topic in scene.line.asked)
    scene.broker.publisher.send([Message(topic, b"", retain=True) for topic in topics])
    return recovered(scene, f"refused after {asked} of 40 parts: {happened.partition(': ')[2]}")


def _too_many_parts(scene: Scene) -> str:
    """A file that says that it has more parts than any."""
    topic = release_metadata(scene.name, "timestamp.json", 0)
    scene.broker.publisher.send([Message(topic, b"\xff" + bytes(200), retain=True)])
    return recovered(scene, refused(scene, TOO_LONG))


def _long_timestamp(scene: Scene) -> str:
    scene.retain({"timestamp.json": shelf_of(scene).data("timestamp.json") + b" " * 20_000})
    return recovered(scene, refused(scene, TOO_LONG))


def _parts_of_two_files(scene: Scene) -> str:
    """The first part says that there are two, the second that there are nine."""
    scene.repository.refresh(now_s=NEW_S)
    files = dict(scene.files())
    name = next(each for each in files if "snapshot" in each)
    data = files.pop(name)
    scene.retain(files)
    first = Message(release_metadata(scene.name, name, 0), b"\x01" + data[:100], retain=True)
    second = Message(release_metadata(scene.name, name, 1), b"\x08" + data[100:], retain=True)
    scene.broker.publisher.send([first, second])
    return recovered(scene, refused(scene, "not of one file", NotHeardError))


def _plan_length_lies(scene: Scene, length: int) -> str:
    """The offline keys vouch for a length that the plan does not have."""

    def lie(targets: Metadata[Targets]) -> None:
        targets.signed.targets[plan_path(NEW)].length += length

    scene.retain(with_targets(scene, lie))
    return refused(scene, "length")


def _block(scene: Scene, data: bytes, why: str, kind: type[UpdateError] = RefusedError) -> str:
    """The broker brings other bytes under a plan's name."""
    scene.broker.put_blocks({digest(NEW.write()): data})
    return recovered(scene, refused(scene, why, kind))


def _many(scene: Scene) -> str:
    """Ten thousand targets: a board reads them, and takes the one that it wants."""
    path = plan_path(NEW)
    target = shelf_of(scene).targets().signed.targets[path]

    def fill(targets: Metadata[Targets]) -> None:
        for number in range(10_000):
            name = f"lights/{number}.0.1/q8.json"
            targets.signed.targets[name] = TargetFile(target.length, target.hashes, name)

    files = with_targets(scene, fill)
    scene.retain(files)
    assert scene.look() == NEWEST
    size = max(len(data) for data in files.values())
    return f"taken as they are: {size / 1e6:.1f} MB of metadata; the newest release stays"


def _too_many(scene: Scene) -> str:
    """More than a board reads: the operator's own tool refuses to sign them."""
    targets = renewed(shelf_of(scene).targets(), Targets.type, now_s=NEW_S)
    for number in range(60_000):
        name = f"lights/{number}.0.1/q8.json"
        targets.signed.targets[name] = TargetFile(1, {"sha256": "0" * 64}, name)
    try:
        scene.repository.press.put_targets(targets, passphrase=None, now_s=NEW_S)
    except FleetError as error:
        assert scene.look() == NEWEST
        return f"not even signed: {error}"
    raise AssertionError("the operator signed them")


SIZES = (
    UpdateAttack("timestamp too long", "20 kB behind a true one", _long_timestamp),
    UpdateAttack("root without end", "40 parts of 128 KiB", partial(_endless, name="2.root.json")),
    UpdateAttack(
        "snapshot without end", "40 parts of 128 KiB", partial(_endless, name="{}.snapshot.json")
    ),
    UpdateAttack("more parts than any file has", "256", _too_many_parts),
    UpdateAttack("parts of two files", "which contradict each other", _parts_of_two_files),
    UpdateAttack(
        "plan longer than it is",
        "a byte more",
        partial(_plan_length_lies, length=1),
    ),
    UpdateAttack("plan shorter than it is", "a byte less", partial(_plan_length_lies, length=-1)),
    UpdateAttack(
        "plan with other bytes",
        "another package under its name",
        partial(_block, data=a_plan("6.6.6").write(), why="hash"),
    ),
    UpdateAttack(
        "plan with bytes behind it",
        "a block of 128 KiB",
        partial(_block, data=NEW.write() + bytes(100_000), why="length"),
    ),
    UpdateAttack("ten thousand targets", "all truly signed", _many),
    UpdateAttack("sixty thousand targets", "the operator's mistake", _too_many),
)
