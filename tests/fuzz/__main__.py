"""Feed every parser damage for a while, guided by the code that is reached (atheris).

    python -m tests.fuzz [--seconds N] [PART OF A NAME ...]

What makes a parser fail is kept in fuzz/. Exit code 1 if anything did.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.names import NAMES, NASTY

KEPT = Path("fuzz")
MOST_MB = 1024  # of memory, before it counts as a failure
LONGEST_BYTES = 65_536
SLOWEST_S = 10  # for one input
_TOLD_BYTES = 3_000
_RUNS = re.compile(rb"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(rb"cov: (\d+)")
_SECONDS, _ONE = "--seconds", "--one"
_INSTRUMENTED = ["agent", "broker", "cloud_worker", "firstline", "json", "tomllib", "csv"]


def main(words: list[str]) -> int:
    """Feed them one after the other, each in a process of its own."""
    seconds = "60"
    if words[:1] == [_SECONDS]:
        seconds, words = words[1], words[2:]
    if words[:1] == [_ONE]:
        return _feed(words[1], seconds)
    chosen = [name for name in NAMES if not words or any(word in name for word in words)]
    failed = [name for name in chosen if not _alone(name, seconds)]
    sys.stdout.write(f"{len(chosen)} parsers, {len(failed)} failed\n")
    return 1 if failed or not chosen else 0


def _alone(name: str, seconds: str) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", _SECONDS, seconds, _ONE, name]
    done = subprocess.run(command, capture_output=True, check=False)
    told = done.stderr + done.stdout  # why it ended is said there
    runs, covered = (found[-1].decode() if found else "?" for found in _numbers(told))
    how = "only our errors" if done.returncode == 0 else f"FAILED, see {KEPT}/"
    sys.stdout.write(f"{name:20}  {runs:>9} inputs  {covered:>6} places reached  {how}\n")
    if done.returncode:
        _, _, why = told.partition(b"=== Uncaught Python exception: ===")
        sys.stdout.write((why or told)[-_TOLD_BYTES:].decode(errors="replace") + "\n")
    sys.stdout.flush()
    return done.returncode == 0


def _numbers(told: bytes) -> tuple[list[bytes], list[bytes]]:
    return _RUNS.findall(told), _COVERED.findall(told)


def _feed(name: str, seconds: str) -> int:
    """Feed one parser in this process, which ends with it."""
    import atheris  # noqa: PLC0415 - in an environment of its own

    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.fuzz.targets import all_targets  # noqa: PLC0415 - as it is instrumented
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        target = all_targets(Path(folder))[name]
        for number, seed in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(seed)
        short = (each for each in NASTY if 0 < len(each) < 64)
        words.write_text("".join(f'"{_escaped(each)}"\n' for each in short), encoding="ascii")
        settings = {
            "max_total_time": seconds,
            "rss_limit_mb": MOST_MB,
            "max_len": LONGEST_BYTES,
            "timeout": SLOWEST_S,
            "print_final_stats": 1,
            "dict": words,
            "artifact_prefix": f"{KEPT}/{name.replace(' ', '-')}-",
        }
        options = [f"-{key}={value}" for key, value in settings.items()]
        atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: target(bytes(data)))
        atheris.Fuzz()
    return 0


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
