"""Patches: what they make, and what hostile ones cannot do."""

import bz2
import lzma
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.update.patch import PatchError, apply
from broker.fleet.releases import deltas
from broker.wire.patches import (
    HEAD,
    RECORD_BYTES,
    differences,
    from_planes,
    sums,
    to_planes,
)
from broker.wire.release import Content, Method, digest
from tests.blocks import some_bytes

METHODS: tuple[Method, ...] = ("bz2", "lzma")


def compressed(method: Method, data: bytes) -> bytes:
    return bz2.compress(data) if method == "bz2" else lzma.compress(data)


@given(st.binary(max_size=300), st.data())
def test_sums_undo_differences(new: bytes, data: st.DataObject) -> None:
    base = data.draw(st.binary(min_size=len(new), max_size=len(new)))

    found = differences(new, base)

    assert found == bytes((a - b) % 256 for a, b in zip(new, base, strict=True))
    assert sums(found, base) == new


@given(st.binary(max_size=300), st.integers(1, 255))
def test_planes_come_back(data: bytes, stride: int) -> None:
    assert from_planes(to_planes(data, stride), stride) == data


class Place:
    """A base, and a patch to be applied to it."""

    def __init__(self, folder: Path, base: bytes) -> None:
        self.base, self.patch, self.made = folder / "base", folder / "patch", folder / "made"
        self.base.write_bytes(base)

    def apply(self, method: Method, patch: bytes, wanted: bytes) -> bytes:
        """What comes of a patch."""
        self.patch.write_bytes(patch)
        content = Content(length=len(wanted), sha256=digest(wanted))
        apply(method, self.patch, self.base, self.made, content)
        return self.made.read_bytes()


@settings(max_examples=30, deadline=None)
@given(
    base=st.binary(max_size=2000),
    new=st.binary(max_size=2000),
    head=st.binary(max_size=40),
    shared=st.integers(0, 2000),
)
def test_a_patch_leads_to_the_file(
    tmp_path_factory: pytest.TempPathFactory, base: bytes, new: bytes, head: bytes, shared: int
) -> None:
    folder = tmp_path_factory.mktemp("patch")
    place, target = Place(folder, base), folder / "new"
    wanted = head + base[:shared] + new
    target.write_bytes(wanted)

    patch = deltas.make(place.base, target, folder)

    assert place.apply(patch.method, patch.path.read_bytes(), wanted) == wanted


def trained_on(weights: bytes) -> bytes:
    """Blocks of 34 bytes of which a few change a little."""
    made = bytearray(weights)
    for at in range(5, len(made), 97):
        made[at] = (made[at] + 1) % 256
    return bytes(made)


def test_weights_that_changed_a_little_make_a_small_patch_though_all_moved(tmp_path: Path) -> None:
    base = some_bytes(3 * RECORD_BYTES + 11)
    place, target = Place(tmp_path, b"old header" + base), tmp_path / "new"
    wanted = b"a longer new header" + trained_on(base)
    target.write_bytes(wanted)

    patch = deltas.make(place.base, target, tmp_path)

    assert patch.length < 0.05 * len(wanted)
    assert place.apply(patch.method, patch.path.read_bytes(), wanted) == wanted


def record(data: bytes, stride: int = 0, at: int = 0, length: int | None = None) -> bytes:
    return HEAD.pack(len(data) if length is None else length, stride, at) + data


WANTED = b"what was promised"
HOSTILE = {
    "nothing": b"",
    "half a record": record(WANTED)[:-1],
    "half a head": record(WANTED)[:5],
    "a record of another length": record(WANTED, length=len(WANTED) + 1),
    "a record of four gigabytes": record(WANTED, length=(1 << 32) - 1),
    "more than was promised": record(WANTED) + record(b"!"),
    "less": record(WANTED[:-1]),
    "something else": record(WANTED[::-1]),
    "beyond the base": record(WANTED, stride=1, at=1000),
    "before what any file has": record(WANTED, stride=1, at=(1 << 64) - 1),
    "half beyond the base": record(WANTED, stride=1, at=90),
    "nothing, for ever": record(b"") * 100 + record(WANTED),
    "without end": b"".join(record(bytes(RECORD_BYTES)) for _ in range(20)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("records", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_patch_is_refused(tmp_path: Path, method: Method, records: bytes) -> None:
    place = Place(tmp_path, bytes(100))

    with pytest.raises(PatchError):
        place.apply(method, compressed(method, records), WANTED)

    assert place.made.stat().st_size <= len(WANTED)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spoil", ["cut", "flipped", "noise", "followed"])
def test_a_damaged_patch_is_refused(tmp_path: Path, method: Method, spoil: str) -> None:
    right = compressed(method, record(WANTED))
    spoilt = {
        "cut": right[:-4],
        "flipped": right[:20] + bytes([right[20] ^ 1]) + right[21:],
        "noise": some_bytes(100),
        "followed": right + right,
    }[spoil]

    with pytest.raises(PatchError):
        Place(tmp_path, b"").apply(method, spoilt, WANTED)


@pytest.mark.parametrize("method", METHODS)
def test_a_bomb_goes_off_in_little_memory_and_writes_no_more_than_was_promised(
    tmp_path: Path, method: Method
) -> None:
    wanted = 100 * RECORD_BYTES
    bomb = compressed(method, b"".join([record(bytes(RECORD_BYTES))] * 120))  # 30 MiB
    place = Place(tmp_path, b"")
    place.patch.write_bytes(bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(PatchError):
        apply(method, place.patch, place.base, place.made, Content(length=wanted, sha256="0" * 64))

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert len(bomb) < RECORD_BYTES
    assert place.made.stat().st_size <= wanted
    assert grown_kib < 16 * 1024


def test_a_decoder_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    greedy = lzma.compress(record(WANTED), preset=9)  # a dictionary of 64 MiB

    with pytest.raises(PatchError):
        Place(tmp_path, b"").apply("lzma", greedy, WANTED)
