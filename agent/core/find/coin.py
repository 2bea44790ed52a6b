"""Addresses and keys of crypto currencies: by their checksum where they carry one."""

import re
from collections.abc import Iterator
from hashlib import sha256

from agent.core.find.behind import has_any
from agent.core.find.look import lowered
from agent.stages import Span

# No address is shorter than this run, so most texts are done after one search.
_RUN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{25,112}(?![A-Za-z0-9])")
_HEX = re.compile(r"0x[0-9A-Fa-f]{40}")  # Ethereum and its kind
_MONERO = re.compile(r"[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:[1-9A-HJ-NP-Za-km-z]{11})?")
_SOLANA = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
_SOLANA_WORDS = ("solana", "phantom wallet", "sol address", "sol wallet", "spl token")
_BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_VALUES = {ord(letter): value for value, letter in enumerate(_BITCOIN)}
_RIPPLE_TO_BITCOIN = str.maketrans(_RIPPLE, _BITCOIN)
_HASH_BYTES = 20
_ADDRESS_BYTES = (1 + _HASH_BYTES, 2 + _HASH_BYTES)  # a version of one byte, or Zcash's two
_KEY_BYTES = (33, 34, 78)  # a private key, the same of a compressed point, an extended key
_CHECK_BYTES = 4
_BECH32 = {letter: value for value, letter in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_BECH32_LONGEST = 112  # BIP 173 says 90; Cardano's addresses are longer
_BECH32_CHECK = 6
_BECH32_LAST = (1, 0x2BC830A3)  # bech32 and bech32m: BIP 350
_BECH32_POWERS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_LOW_25 = 0x1FFFFFF
_SECRET_PREFIXES = ("nsec", "age-secret-key-")


def find_coins(plain: str) -> Iterator[Span]:
    """Find addresses of Bitcoin, Ethereum and others; what spends from them is a SECRET."""
    runs = list(_RUN.finditer(plain))
    solana = bool(runs) and has_any(lowered(plain), _SOLANA_WORDS)
    for run in runs:
        if found := _what(run[0], solana=solana):
            label, score, rule = found
            yield Span(*run.span(), label, score, rule)


def _what(run: str, *, solana: bool) -> tuple[str, float, str] | None:
    if run.startswith("0x"):
        return ("CRYPTO", 0.9, "0x and 40 digits") if _HEX.fullmatch(run) else None
    if _MONERO.fullmatch(run):
        return "CRYPTO", 0.9, "Monero's shape"
    if "1" in run[1:-_BECH32_CHECK] and bech32(run):
        return _of(run.lower().startswith(_SECRET_PREFIXES)), 1.0, "bech32"
    size = base58(run.translate(_RIPPLE_TO_BITCOIN) if run[0] == "r" else run)
    if size in _ADDRESS_BYTES or size in _KEY_BYTES:
        return _of(size in _KEY_BYTES and run[1:4] != "pub"), 1.0, "base58 check"
    named = solana and _SOLANA.fullmatch(run)
    return ("CRYPTO", 0.6, "behind a word for Solana") if named else None


def _of(spends: bool) -> str:  # noqa: FBT001 - the two kinds that there are
    return "SECRET" if spends else "CRYPTO"


def base58(text: str) -> int:
    """Give the bytes in a text that passes base58check's test, and 0 for any other."""
    number = 0
    for letter in text:
        value = _VALUES.get(ord(letter))
        if value is None:
            return 0
        number = number * len(_BITCOIN) + value
    zeros = len(text) - len(text.lstrip(_BITCOIN[0]))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    good = sha256(sha256(body).digest()).digest().startswith(check) and len(check) == _CHECK_BYTES
    return len(body) if good else 0


def bech32(text: str) -> bool:
    """Check a text with bech32's checksum, of either kind: BIP 173 and BIP 350."""
    lower = text.lower()
    head, _, rest = lower.rpartition("1")
    if text not in (lower, text.upper()) or len(text) > _BECH32_LONGEST:
        return False
    if not head or len(rest) < _BECH32_CHECK or any(letter not in _BECH32 for letter in rest):
        return False
    values = [*(ord(letter) >> 5 for letter in head), 0, *(ord(letter) & 31 for letter in head)]
    check = 1
    for value in [*values, *(_BECH32[letter] for letter in rest)]:
        top = check >> 25
        check = (check & _LOW_25) << 5 ^ value
        for bit, power in enumerate(_BECH32_POWERS):
            check ^= power if top >> bit & 1 else 0
    return check in _BECH32_LAST
