"""The request and the answer of a board that joins, and what is no such thing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import structs

from broker.wire import joining
from broker.wire.envelope import MAX_REPLY_BYTES, MAX_WIRE_BYTES
from broker.wire.errors import EnvelopeError, JoinRefusedError
from broker.wire.join_code import JoinSecret
from broker.wire.joining import (
    MAX_REQUEST_BYTES,
    Refusal,
    Welcome,
    open_answer,
    open_request,
    seal_refusal,
    seal_request,
    seal_welcome,
)

SECRET, OTHER = JoinSecret(bytes(32)), JoinSecret(bytes(31) + b"\1")
WELCOME = Welcome(
    fleet="home",
    device="board-1",
    pool="cloud",
    root="00",
    bundle="{}",
    authority="PEM",
    certificate="PEM",
)


@dataclass(frozen=True, slots=True)
class Board:
    """The keys that a board made."""

    signing: Ed25519PrivateKey
    tls: EllipticCurvePrivateKey

    def ask(self, secret: JoinSecret = SECRET) -> bytes:
        return seal_request(secret, self.signing, self.tls)


def make_board() -> Board:
    return Board(Ed25519PrivateKey.generate(), generate_private_key(SECP256R1()))


BOARD = make_board()
ASKED = BOARD.ask()
ANSWER = seal_welcome(WELCOME, SECRET, ASKED)


def test_a_request_names_the_keys_of_the_board() -> None:
    request = open_request(ASKED, SECRET)

    assert request.signing_public() == BOARD.signing.public_key()
    assert request.tls_public() == BOARD.tls.public_key()
    assert len(ASKED) < MAX_REQUEST_BYTES


def test_an_answer_says_what_the_operator_said() -> None:
    assert open_answer(ANSWER, SECRET, ASKED) == WELCOME


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_told_with_its_reason(refusal: Refusal) -> None:
    wire = seal_refusal(refusal, SECRET, ASKED)

    with pytest.raises(JoinRefusedError, match=refusal.name.lower()):
        open_answer(wire, SECRET, ASKED)


@pytest.mark.parametrize("wire", [ASKED, ANSWER], ids=["request", "answer"])
def test_any_flipped_bit_of_a_message_to_join_is_refused(wire: bytes) -> None:
    for place in range(len(wire)):
        for bit in range(8) if place < 64 else (place % 8,):
            flipped = bytearray(wire)
            flipped[place] ^= 1 << bit
            with pytest.raises(EnvelopeError):
                open_request(bytes(flipped), SECRET)
            with pytest.raises(EnvelopeError):
                open_answer(bytes(flipped), SECRET, ASKED)


def sealed(content: bytes) -> bytes:
    """Any bytes as a request, by somebody who has the code."""
    return joining._seal(SECRET.request_key, content, joining._REQUEST)


def altered(**fields: object) -> bytes:
    request: Any = open_request(ASKED, SECRET)
    return sealed(structs.replace(request, **fields).write())


def another(place: str) -> bytes:
    other = open_request(make_board().ask(), SECRET)
    return altered(**{place: getattr(other, place)})


def another_tls_key() -> bytes:
    """A key whose owner signs for ours as well, which our signature does not cover."""
    thief = make_board()
    signing_key = BOARD.signing.public_key().public_bytes_raw()
    tls_key = open_request(thief.ask(), SECRET).tls_key
    proven = joining._proven(SECRET, signing_key, bytes.fromhex(tls_key))
    return altered(tls_key=tls_key, tls_proof=thief.tls.sign(proven, ECDSA(SHA256())).hex())


def with_name() -> bytes:
    content = open_request(ASKED, SECRET).write()
    return sealed(content[:-1] + b',"device":"board-2"}')


REQUESTS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "shorter than a nonce": lambda: ASKED[:11],
    "a nonce and nothing else": lambda: ASKED[:12],
    "cut short": lambda: ASKED[:-1],
    "longer": lambda: ASKED + b"\0",
    "of another code": lambda: BOARD.ask(OTHER),
    "an answer": lambda: ANSWER,
    "as long as a message can be": lambda: bytes(MAX_WIRE_BYTES),
    "sealed, and longer than it may be": lambda: sealed(
        open_request(ASKED, SECRET).write() + b" " * MAX_REQUEST_BYTES
    ),
    "sealed, and no JSON": lambda: sealed(b"{"),
    "sealed, and another object": lambda: sealed(WELCOME.write()),
    "sealed, and it says who it is": with_name,
    "another's signing key": lambda: another("signing_key"),
    "another's TLS key": lambda: another("tls_key"),
    "another's TLS key, proven, beside ours": another_tls_key,
    "another's signature": lambda: another("signing_proof"),
    "another's TLS signature": lambda: another("tls_proof"),
    "no signature": lambda: altered(signing_proof=""),
    "no TLS signature": lambda: altered(tls_proof=""),
    "a signing key that is none": lambda: altered(signing_key="00"),
    "a TLS key that is on no curve": lambda: altered(tls_key="04" + "11" * 64),
    "a TLS key that is not hexadecimal": lambda: altered(tls_key="zz"),
    "the proofs of another invitation": lambda: sealed(
        open_request(BOARD.ask(OTHER), OTHER).write()
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_no_request_to_join_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError):
        open_request(REQUESTS[name](), SECRET)


def told(content: bytes) -> bytes:
    """Any bytes as an answer, by somebody who has the code."""
    return joining._seal(SECRET.answer_key, content, joining._answered(ASKED))


ANSWERS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "cut short": lambda: ANSWER[:-1],
    "longer": lambda: ANSWER + b"\0",
    "to another board with this code": lambda: seal_welcome(WELCOME, SECRET, make_board().ask()),
    "to this board, an earlier request": lambda: seal_welcome(WELCOME, SECRET, BOARD.ask()),
    "of another code": lambda: seal_welcome(WELCOME, OTHER, ASKED),
    "a refusal of another code": lambda: seal_refusal(Refusal.USED, OTHER, ASKED),
    "the request itself": lambda: ASKED,
    "sealed, and empty": lambda: told(b""),
    "sealed, and of no kind": lambda: told(b"\x09"),
    "sealed, and no JSON": lambda: told(b"\0{"),
    "sealed, for a name that is none": lambda: told(
        b"\0" + structs.replace(WELCOME).write().replace(b"board-1", b"../evil")
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_answer_to_a_request_to_join_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError):
        open_answer(ANSWERS[name](), SECRET, ASKED)


def test_an_answer_that_fits_into_no_message_is_not_sealed() -> None:
    long = structs.replace(WELCOME, bundle="x" * MAX_REPLY_BYTES)

    with pytest.raises(ValueError, match="fits into no message"):
        seal_welcome(long, SECRET, ASKED)
