"""Makes or applies one patch, for `bench_delta`: make|apply METHOD BASE SOURCE TARGET.

Prints a line of JSON: how long it took, and what memory it added to a bare Python.
"""

import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Work = Callable[[Path, Path, Path], None]  # base, source, target
_KIB = 1024
_LEVEL = 19  # of zstd

# Everything is imported where it is used, and weighed with what it imports.


def _make_ours(base: Path, new: Path, patch: Path) -> None:
    from broker.fleet.releases.deltas import make  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        made = make(base, new, Path(scratch))
        data = new.read_bytes()
        head = {
            "method": made.method,
            "length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        patch.with_suffix(".head").write_text(json.dumps(head), encoding="ascii")
        patch.write_bytes(made.path.read_bytes())


def _apply_ours(base: Path, patch: Path, made: Path) -> None:
    from agent.update.patch import apply  # noqa: PLC0415
    from broker.wire.release import Content  # noqa: PLC0415

    head = json.loads(patch.with_suffix(".head").read_text(encoding="ascii"))
    content = Content(length=head["length"], sha256=head["sha256"])
    apply(head["method"], patch, base, made, content)


def _make_zstd(base: Path, new: Path, patch: Path) -> None:
    import zstandard  # noqa: PLC0415

    old, data = base.read_bytes(), new.read_bytes()
    settings = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=max(10, (len(old) + len(data)).bit_length()), enable_ldm=True
    )
    known = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    compressor = zstandard.ZstdCompressor(compression_params=settings, dict_data=known)
    patch.write_bytes(compressor.compress(data))


def _apply_zstd(base: Path, patch: Path, made: Path) -> None:
    import zstandard  # noqa: PLC0415

    known = zstandard.ZstdCompressionDict(
        base.read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    undo = zstandard.ZstdDecompressor(dict_data=known, max_window_size=1 << 31)
    with patch.open("rb") as source, made.open("wb") as target:
        undo.copy_stream(source, target)


def _make_bsdiff(base: Path, new: Path, patch: Path) -> None:
    import bsdiff4  # noqa: PLC0415

    bsdiff4.file_diff(str(base), str(new), str(patch))


def _apply_bsdiff(base: Path, patch: Path, made: Path) -> None:
    import bsdiff4  # noqa: PLC0415

    bsdiff4.file_patch(str(base), str(made), str(patch))


def _make_hdiff(base: Path, new: Path, patch: Path) -> None:
    import hdiffpatch  # noqa: PLC0415

    lzma2 = hdiffpatch.COMPRESSION_LZMA2
    patch.write_bytes(hdiffpatch.diff(base.read_bytes(), new.read_bytes(), compression=lzma2))


def _apply_hdiff(base: Path, patch: Path, made: Path) -> None:
    import hdiffpatch  # noqa: PLC0415

    made.write_bytes(hdiffpatch.apply(base.read_bytes(), patch.read_bytes()))


METHODS: Mapping[str, tuple[Work, Work]] = {
    "ours": (_make_ours, _apply_ours),
    "zstd --patch-from": (_make_zstd, _apply_zstd),
    "bsdiff": (_make_bsdiff, _apply_bsdiff),
    "hdiffpatch": (_make_hdiff, _apply_hdiff),
}


def main() -> None:
    """Do it once."""
    verb, method, *names = sys.argv[1:]
    make, apply = METHODS[method]
    before, started_s = _peak_kib(), time.perf_counter()
    (make if verb == "make" else apply)(*map(Path, names))
    took_s, added_kib = time.perf_counter() - started_s, _peak_kib() - before
    print(json.dumps({f"{verb}_s": took_s, f"{verb}_mb": added_kib / _KIB}))


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
