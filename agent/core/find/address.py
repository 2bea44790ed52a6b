"""Network addresses: IPv4, IPv6 and MAC; only those that are valid.

Read by hand: `ipaddress` would cost the board half a megabyte for these few lines.
"""

import re
from collections.abc import Iterator

from agent.stages import Span

# No letter before: v1.2.3.4 is a version. Underscores and letters of other scripts may stand.
# A pattern that begins with a character is searched for faster than one that looks back first.
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(
    rf"[0-9](?<![0-9A-Za-z].)(?<![0-9]\..)(?<=(?={_OCTET}\.).)[0-9]{{0,2}}(?:\.{_OCTET}){{3}}"
    r"(?![0-9A-Za-z])(?!\.[0-9])"
)
_V4_TRIGGER = re.compile(r"\.[0-9]{1,3}\.")
_V6_TRIGGER = re.compile(r"::|:(?:[0-9A-Fa-f]{1,4}:){5}")  # a gap, or at least six colons
_V6_RUN = re.compile(r"[0-9A-Fa-f:.]+")
_V6_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_LETTER = re.compile(r"[A-Za-z]")  # the run itself has taken every digit
_V6_GROUPS = 8
_V6_LONGEST = 45  # RFC 4291: eight groups, the last two written as IPv4
_MAC_PAIRS = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z].)[0-9A-Fa-f]([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2})*"
    r"(?![0-9A-Za-z])"
)
_MAC_TRIGGER = re.compile(r"[:-](?:[0-9A-Fa-f]{2}[:-]){4}|\.[0-9A-Fa-f]{4}\.")
_MAC_DOTS = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z].)(?<![0-9A-Za-z]\..)[0-9A-Fa-f]{3}(?:\.[0-9A-Fa-f]{4}){2}"
    r"(?![0-9A-Za-z])(?!\.[0-9A-Za-z])"
)
# EUI-48, EUI-64, and EUI-48 behind a label such as "AC:". Longer is a fingerprint.
_MAC_PAIR_COUNTS = (6, 7, 8)


def find_addresses(plain: str) -> Iterator[Span]:
    """Find IP and MAC addresses."""
    if _V4_TRIGGER.search(plain):
        for match in _V4.finditer(plain):
            yield Span(*match.span(), "IP", 1.0, "IPv4")
    if _V6_TRIGGER.search(plain):
        for match in _V6_RUN.finditer(plain):
            yield from _v6(plain, *match.span())
    if _MAC_TRIGGER.search(plain):
        yield from _macs(plain)


def _macs(plain: str) -> Iterator[Span]:
    for match in _MAC_PAIRS.finditer(plain):
        if (len(match[0]) + 1) // 3 in _MAC_PAIR_COUNTS:
            yield Span(*match.span(), "MAC", 1.0, "pairs")
    for match in _MAC_DOTS.finditer(plain):
        yield Span(*match.span(), "MAC", 0.9, "dotted")


def _v6(plain: str, start: int, end: int) -> Iterator[Span]:
    run = plain[start:end].rstrip(".")
    if run.endswith(":") and not run.endswith("::"):
        run = run[:-1]
    end = start + len(run)
    if run.startswith(":") and not run.startswith("::"):  # the colon of "host:fe80::1"
        run = run[1:]
    elif _LETTER.match(plain[start - 1 : start]):  # cut out of a word, as in std::deque
        return
    if _LETTER.match(plain, end):
        return
    if len(run) <= _V6_LONGEST and is_v6(run) and _looks_meant(run):
        yield Span(end - len(run), end, "IP", 1.0, "IPv6")


def is_v6(text: str) -> bool:
    """Tell an IPv6 address (RFC 4291, section 2.2), without a zone."""
    head, gap, tail = text.partition("::")
    if gap and ("::" in tail or tail.startswith(":")):
        return False
    groups = [*head.split(":")] if head else []
    groups += tail.split(":") if tail else []
    count = len(groups)
    if groups and "." in groups[-1]:
        if not _V4.fullmatch(groups.pop()):
            return False
        count += 1
    if not all(map(_V6_GROUP.fullmatch, groups)):
        return False
    return count < _V6_GROUPS if gap else count == _V6_GROUPS


def _looks_meant(run: str) -> bool:
    """Tell addresses from `::` and `a::b` of source code."""
    return any(c.isdigit() for c in run) or run.count(":") > len("::")
