"""Addresses of machines and mail, from the ranges that are kept for documentation."""

import re

from agent.core.surrogates.draw import Draw, fill

_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_DOCUMENTED = "2001:db8"  # RFC 3849
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MAC_DIGITS = 12
_MOST = 9999
_ENDS = range(1, 255)


def ip(value: str, draw: Draw) -> str | None:
    """Give an address of the same version; a port or a prefix stays."""
    if old := _IPV4.match(value):
        return f"{draw.pick(_NETWORKS)}.{draw.pick(_ENDS)}{value[old.end() :]}"
    old = _IPV6.match(value)
    if old is None or old[0].count(":") < len("::"):
        return None
    groups = ":".join(f"{1 + draw.below(0xFFFF):x}" for _ in range(2))
    return f"{_DOCUMENTED}::{groups}{value[old.end() :]}"


def mac(value: str, draw: Draw) -> str | None:
    """Give a locally administered address, which no maker gives, in the same writing."""
    if sum(map(str.isalnum, value)) != _MAC_DIGITS:
        return None
    digits = f"{draw.below(16):x}{draw.pick('26ae')}{draw.below(16**10):010x}"
    return fill(value, digits.upper() if value.upper() == value else digits)


def email(_value: str, draw: Draw) -> str:
    """Give an address at a host that takes no mail (RFC 2606)."""
    return f"person{1 + draw.below(_MOST)}@example.org"


def url(value: str, draw: Draw) -> str:
    """Give a host that is nobody's, behind the same scheme; a path may be personal too."""
    scheme = _SCHEME.match(value)
    return f"{scheme[0] if scheme else ''}site{1 + draw.below(_MOST)}.example.org"
