"""Seal a question to a pool, and its reply to that one question.

    header = version | suite | pool key | device key | ticket | created | expires      42 bytes
    info   = "fl/v1 request" 0 || LP(ask topic) || LP(answer topic) || LP(header)
    sealed = HPKE.seal(reply secret (32) || pad(body), pool key, info)
    bound  = SHA-256(LP(info) || LP(sealed))
    wire   = header || Ed25519(device key, "fl/v1 request signature" 0 || bound) || sealed

    key | nonce = HKDF-SHA256(reply secret, salt = bound || n, "fl/v1 response")
    reply       = n (32) || AES-256-GCM(key, nonce, pad(body), aad = bound)

HPKE's base mode (RFC 9180) names no sender, so the device signs; context goes into `info`
(section 8.1). The reply is RFC 9458, section 4.4, with the secret inside the question in place
of HPKE's export, which `cryptography` does not offer: only who could open the question can
answer it, and an answer opens for that question alone. LP is a 4-byte length before the bytes.
"""

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.wire.errors import EnvelopeError
from broker.wire.keys import PoolPrivateKey, PoolPublicKey, Suite, hpke
from broker.wire.padding import pad, unpad
from broker.wire.topics import Route

VERSION = 1
MAX_WIRE_BYTES = 128 * 1024  # what hosted brokers take in one message
MAX_REPLY_BYTES = 124 * 1024  # of a reply's body: padded and sealed it fits into one message
_HEADER = struct.Struct(">BB8s8s16sII")
_SIGNATURE_BYTES = 64
_SECRET_BYTES = 32
_NONCE_BYTES = 32  # max(Nn, Nk) of AES-256-GCM: RFC 9458, section 4.4
_KEY_BYTES = 32
_AEAD_NONCE_BYTES = 12
_REQUEST = b"fl/v1 request\0"
_REQUEST_SIGNATURE = b"fl/v1 request signature\0"
_RESPONSE = b"fl/v1 response"


@dataclass(frozen=True, slots=True)
class Header:
    """What a worker must know before it can open a question. Clear, authenticated."""

    suite: Suite
    pool_key: bytes  # 8 bytes, see `keys.key_name`
    device_key: bytes  # 8 bytes, see `keys.signing_key_name`
    ticket: UUID
    created_s: int  # Unix time, seconds
    expires_s: int  # Unix time, seconds


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """What seals and opens the replies to one question."""

    secret: bytes = field(repr=False)  # 32 bytes, random
    bound: bytes = field(repr=False)  # 32 bytes: the question that is answered


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope taken apart, nothing of it proven yet."""

    header: Header
    header_bytes: bytes
    signature: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """An envelope whose device, topics and bytes are proven. Made by `verify` only."""

    header: Header
    info: bytes
    bound: bytes
    ciphertext: bytes


def seal_question(
    body: bytes,
    *,
    route: Route,
    pool_key: PoolPublicKey,
    device_key: Ed25519PrivateKey,
    header: Header,
) -> tuple[bytes, ReplyKey]:
    """Seal `body` to a pool; return the wire bytes and the key to its replies.

    Raises:
        EnvelopeError: the envelope would be longer than MAX_WIRE_BYTES.
    """
    header_bytes = _pack_header(header)
    info = _info(route, header_bytes)
    secret = os.urandom(_SECRET_BYTES)
    ciphertext = hpke(header.suite).encrypt(secret + pad(body), pool_key.key, info=info)
    bound = _bound(info, ciphertext)
    signature = device_key.sign(_REQUEST_SIGNATURE + bound)
    wire = header_bytes + signature + ciphertext
    if len(wire) > MAX_WIRE_BYTES:
        raise EnvelopeError(f"too long for one message: {len(wire)} > {MAX_WIRE_BYTES} bytes")
    return wire, ReplyKey(secret, bound)


def parse(wire: bytes) -> Sealed:
    """Take a question's envelope apart.

    Raises:
        EnvelopeError: too long, too short, or of another version.
    """
    if not _HEADER.size + _SIGNATURE_BYTES < len(wire) <= MAX_WIRE_BYTES:
        raise EnvelopeError("not an envelope")
    version, number, pool_key, device_key, ticket, created_s, expires_s = _HEADER.unpack_from(wire)
    try:
        suite = Suite(number)
    except ValueError:
        raise EnvelopeError("not an envelope of a known suite") from None
    if version != VERSION:
        raise EnvelopeError("not an envelope of this version")
    header = Header(suite, pool_key, device_key, UUID(bytes=ticket), created_s, expires_s)
    start = _HEADER.size + _SIGNATURE_BYTES
    return Sealed(header, wire[: _HEADER.size], wire[_HEADER.size : start], wire[start:])


def verify(sealed: Sealed, route: Route, device_key: Ed25519PublicKey) -> Verified:
    """Prove that this device sent these bytes on this route.

    Raises:
        EnvelopeError: it did not.
    """
    info = _info(route, sealed.header_bytes)
    bound = _bound(info, sealed.ciphertext)
    try:
        device_key.verify(sealed.signature, _REQUEST_SIGNATURE + bound)
    except InvalidSignature:
        raise EnvelopeError("envelope does not open") from None
    return Verified(sealed.header, info, bound, sealed.ciphertext)


def open_question(
    question: Verified, keys: Mapping[bytes, PoolPrivateKey]
) -> tuple[bytes, ReplyKey]:
    """Decrypt a question; return its body and the key to its replies.

    Raises:
        EnvelopeError: no key of ours opens it.
    """
    key = keys.get(question.header.pool_key)
    if key is None or key.suite is not question.header.suite:
        raise EnvelopeError("envelope does not open")
    try:
        plain = hpke(key.suite).decrypt(question.ciphertext, key.key, info=question.info)
    except (InvalidTag, ValueError):
        raise EnvelopeError("envelope does not open") from None
    return unpad(plain[_SECRET_BYTES:]), ReplyKey(plain[:_SECRET_BYTES], question.bound)


def seal_reply(body: bytes, key: ReplyKey) -> bytes:
    """Seal `body` as a reply to the question that `key` belongs to."""
    nonce = os.urandom(_NONCE_BYTES)
    cipher, aead_nonce = _reply_cipher(key, nonce)
    return nonce + cipher.encrypt(aead_nonce, pad(body), key.bound)


def open_reply(wire: bytes, key: ReplyKey) -> bytes:
    """Decrypt a reply.

    Raises:
        EnvelopeError: not a reply to this question from who could read it.
    """
    nonce, ciphertext = wire[:_NONCE_BYTES], wire[_NONCE_BYTES:]
    if len(nonce) < _NONCE_BYTES or len(wire) > MAX_WIRE_BYTES:
        raise EnvelopeError("envelope does not open")
    cipher, aead_nonce = _reply_cipher(key, nonce)
    try:
        return unpad(cipher.decrypt(aead_nonce, ciphertext, key.bound))
    except (InvalidTag, ValueError):
        raise EnvelopeError("envelope does not open") from None


def _pack_header(header: Header) -> bytes:
    return _HEADER.pack(
        VERSION,
        header.suite,
        header.pool_key,
        header.device_key,
        header.ticket.bytes,
        header.created_s,
        header.expires_s,
    )


def _info(route: Route, header: bytes) -> bytes:
    return _REQUEST + _framed(route.ask.encode()) + _framed(route.answer.encode()) + _framed(header)


def _bound(info: bytes, ciphertext: bytes) -> bytes:
    return hashlib.sha256(_framed(info) + _framed(ciphertext)).digest()


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _reply_cipher(key: ReplyKey, nonce: bytes) -> tuple[AESGCM, bytes]:
    length = _KEY_BYTES + _AEAD_NONCE_BYTES
    okm = HKDF(SHA256(), length, salt=key.bound + nonce, info=_RESPONSE).derive(key.secret)
    return AESGCM(okm[:_KEY_BYTES]), okm[_KEY_BYTES:]
