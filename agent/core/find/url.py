"""URLs with a scheme, and hosts: from each :// and each top-level domain outwards.

A host without a scheme needs a top-level domain that is neither a usual word nor the end of a
file's name: build.sh, main.rs and "home.It was" are none. `www.` or a path makes up for that.
"""

import re
from collections.abc import Iterator

from agent.core.find.words import words
from agent.stages import Span

_SCHEME_BEFORE = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,15}$", re.IGNORECASE)
_SCHEME_CHARS = 17
_REST = re.compile(r"[^\s<>\"\0`|\\^{}\u3002\uff0c]+")
_LAST = ".,;:!?'*_~\u2026\u00bb\u201d\u2019"
_PAIRS = {")": "(", "]": "["}
_TOP = re.compile(r"\.(?P<top>[A-Za-z]{2,18}|xn--[A-Za-z0-9-]{2,30})(?![\w@(-])(?!\.\w)")
_NAMES_BEFORE = re.compile(r"(?<![\w@./\\-])(?:(?=[^\W_])[\w-]{1,63}\.){0,6}(?=[^\W_])[\w-]{1,63}$")
_ONLY_WITH_A_WORD = 0.4  # below what is enough, until a word beside raises it
_HOST_CHARS = 128  # as far as is looked back; a longer host is a host all the same
_PATH_BEGINS = re.compile(r"(?::[0-9]{1,5})?[/?#]")
_BEHIND = re.compile(r"(?::[0-9]{1,5}(?![0-9]))?(?P<path>[/?#][^\s<>\"\0`|\\^{}]*)?")
# What is a host wherever it stands.
_TOPS = words(
    "com org net edu gov mil biz io dev online website shop tech xyz agency london berlin paris"
    " nyc eu de uk fr es nl ch se dk fi pt gr hu cz ro bg sk hr ie lu ee lv lt cy mt ru ua by jp"
    " cn kr tw hk sg ph vn au nz ca mx br ar uy pe ec ve za ng ke eg tn dz il ae sa tr ir pk lk bd"
    " kz ge gl fo li mc va ba mk al tv"
)
# A top-level domain too, and a word, an attribute or a file's ending: with www, three names or a
# path.
_TOPS_TOO = words(
    "it in is at to be me us no my so am as do pl py cl ai co app cc md st ws fm la gg im pro"
    " name page one zone live world life today rs int id info site store news blog cloud club wiki"
    " ma sm th"
)
_KNOWN = _TOPS | _TOPS_TOO
_PACKAGES = words("com org net io edu java javax android sun")


def find_urls(plain: str) -> Iterator[Span]:
    """Find scheme://anything, and hosts with or without a path."""
    if "://" in plain:
        yield from _with_scheme(plain)
    if "." in plain:
        yield from _hosts(plain)


def _with_scheme(plain: str) -> Iterator[Span]:
    at = plain.find("://")
    floor = 0
    while at >= 0:
        rest = _REST.match(plain, at + len("://"))
        scheme = _SCHEME_BEFORE.search(plain, max(floor, at - _SCHEME_CHARS), at)
        if rest and scheme:
            end = rest.start() + len(_trimmed(rest[0]))
            if end > rest.start():
                yield Span(scheme.start(), end, "URL", 1.0, "scheme")
                floor = end
        after = max(at + 1, rest.end() if rest else 0)
        at = plain.find("://", after)


def _trimmed(rest: str) -> str:
    """Cut the punctuation of the sentence around it, and brackets that it did not open."""
    spare = {close: rest.count(close) - rest.count(opening) for close, opening in _PAIRS.items()}
    end = len(rest)
    while end and (rest[end - 1] in _LAST or spare.get(rest[end - 1], 0) > 0):
        end -= 1
        if rest[end] in spare:
            spare[rest[end]] -= 1
    return rest[:end]


def _hosts(plain: str) -> Iterator[Span]:
    floor = 0
    for top in _TOP.finditer(plain):
        dot, end = top.span()
        if dot < floor or not (top["top"].lower() in _KNOWN or top["top"].startswith("xn--")):
            continue
        names = _NAMES_BEFORE.search(plain, max(floor, dot - _HOST_CHARS), dot)
        path = _PATH_BEGINS.match(plain, end) is not None
        score = _host_score(names[0].lower().split("."), top["top"], path=path) if names else 0.0
        behind = _BEHIND.match(plain, end) if score else None  # read once: it may be long
        if names and behind:
            more = len(behind["path"] or "") - len(_trimmed(behind["path"] or ""))
            floor = behind.end()
            yield Span(names.start(), behind.end() - more, "URL", score, "host")


def _host_score(names: list[str], top: str, *, path: bool) -> float:
    """Weigh a host without a scheme; 0 if it may be anything."""
    if names[0] == "www":
        return 0.95 if len(names) > 1 else 0.0
    if names[0] in _PACKAGES:
        return 0.0
    if top.lower() not in _TOPS_TOO:
        return 0.9 if top.islower() or top.isupper() else 0.0
    if not top.islower():
        return 0.0
    return 0.6 if path or len(names) > 1 else _ONLY_WITH_A_WORD
