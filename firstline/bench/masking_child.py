"""A process that only finds: its memory and its start are those of masking, and of nothing else.

Run as `python -m firstline.bench.masking_child`. On standard input a JSON list of texts; on
standard output one object: `init_s`, `rss_mb`, and for each text `ms` and `spans`, each with start,
end, label and rule. Another engine is measured by a program that does the same.
"""

import json
import os
import sys
import time

_PASSES = 3  # the first one warms up
_WARM_UP = "Call John on 555-0100 or mail a@b.com."


def main() -> None:
    """Find, measure, tell."""
    texts = json.load(sys.stdin)
    started_s = time.perf_counter()
    # Here, so that its time counts.
    from firstline.naming import shipped_finder  # noqa: PLC0415

    find = shipped_finder()
    find(_WARM_UP)
    init_s = time.perf_counter() - started_s
    spans = [find(text) for text in texts]
    ms = [float("inf")] * len(texts)
    for _ in range(_PASSES - 1):
        for place, text in enumerate(texts):
            started_s = time.perf_counter()
            find(text)
            ms[place] = min(ms[place], (time.perf_counter() - started_s) * 1e3)
    rss_mb = _rss_mb()
    told = [[(span.start, span.end, span.label, span.rule) for span in found] for found in spans]
    json.dump({"init_s": init_s, "rss_mb": rss_mb, "ms": ms, "spans": told}, sys.stdout)


def _rss_mb() -> float:
    """Give the resident memory of this process, in 1e6 bytes."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - pathlib would weigh
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
