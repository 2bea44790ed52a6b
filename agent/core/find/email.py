"""E-mail addresses: from each at sign outwards, so that no character is read twice."""

import re
from collections.abc import Iterator

from agent.stages import Span

_AT = re.compile(r"@|%40")  # %40: an at sign inside a URL
# RFC 5322, section 3.2.3, without / = ? & { | }, which stand around addresses in URLs and logs.
# Letters of any script: RFC 6531.
_LOCAL_REVERSED = re.compile(r"[\w.+%'~!#$*^-]+")
_QUOTED_REVERSED = re.compile(r'"[^"@\n]{1,64}"')  # RFC 5321, section 4.5.3.1.1
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:xn--[\w-]+|[^\W\d_]{2,})")
_LITERAL = re.compile(r"\[[0-9A-Fa-f:.]{3,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])")
_NOT_FIRST = ".'!#$*^%~+-"


def find_emails(plain: str) -> Iterator[Span]:
    """Find local@domain.tld, "quoted local"@domain.tld and local@[address]."""
    if "@" not in plain and "%40" not in plain:
        return
    signs = [match.span() for match in _AT.finditer(plain)]
    backwards = plain[::-1]
    floor = 0  # the previous at sign's end; no domain reads over an at sign either
    for at, after in signs:
        start = _start(plain, backwards, floor, at)
        domain = _DOMAIN.match(plain, after) or _LITERAL.match(plain, after)
        if domain and start < at:
            rule = "at sign" if after - at == 1 else "at sign in a URL"
            yield Span(start, domain.end(), "EMAIL", 1.0, rule)
        floor = after


def _start(plain: str, backwards: str, floor: int, at: int) -> int:
    size = len(plain)
    quoted = _QUOTED_REVERSED.match(backwards, size - at, size - floor)
    if quoted:
        return size - quoted.end()
    local = _LOCAL_REVERSED.match(backwards, size - at, size - floor)
    if not local:
        return at
    start = size - local.end()
    lead = len(plain[start:at]) - len(plain[start:at].lstrip(_NOT_FIRST))
    return start + lead
