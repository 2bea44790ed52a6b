"""What a board and a fleet say to each other when it joins, and when it wants new keys.

What is sealed is fuzzed twice: as it travels, and as its content would be if somebody had the code.
"""

from collections.abc import Mapping
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.invitations import Invitation
from broker.wire import joining, renewal
from broker.wire.credentials import DeviceCard
from broker.wire.errors import EnvelopeError, JoinRefusedError, KeyFileError
from broker.wire.join_code import JoinCode, JoinSecret
from broker.wire.joining import Refusal, Welcome
from broker.wire.renewal import Renewed
from broker.wire.signed import sign
from broker.wire.stale import is_stale, open_stale, sign_stale
from tests.fuzz.target import Target

_NOTICE = Ed25519PrivateKey.generate()
_SECRET = JoinSecret(bytes(range(32)))
_WELCOME = Welcome(
    fleet="home",
    device="board-1",
    pool="main",
    root="00" * 32,
    bundle="{}",
    authority="PEM",
    certificate="PEM",
    port=8883,
)


def _request_content(data: bytes) -> None:
    sealed = joining._seal(_SECRET.request_key, data, joining._REQUEST)
    joining.open_request(sealed, _SECRET)


def _answer_content(data: bytes) -> None:
    sealed = joining._seal(_SECRET.answer_key, data, joining._answered(b"request"))
    joining.open_answer(sealed, _SECRET, b"request")


def _code(data: bytes) -> None:
    JoinCode.parse(data.decode("utf-8", "replace"))


def _renewals() -> dict[str, Target]:
    root, old, new = (Ed25519PrivateKey.generate() for _ in range(3))
    card = DeviceCard(fleet="home", device="board-1", pool="main")
    request = renewal.make_request(card, old, new, generate_private_key(SECP256R1()))
    renewed = Renewed(fleet="home", device="board-1", request="00" * 32, certificate="PEM")

    def request_of(data: bytes) -> None:
        renewal.read_request(data).is_by(old.public_key())

    def answer(data: bytes) -> None:
        wrapped = sign(renewal.LABEL, data.decode("utf-8", "replace"), root)
        with suppress(KeyFileError):  # it answers no request of ours, whatever it is
            renewal.read_answer(wrapped, request, root.public_key())

    return {
        "renewal request": Target(request_of, (EnvelopeError,), (request,)),
        "renewal answer's content": Target(answer, (), (renewed.write(),)),
    }


def _word(data: bytes) -> None:
    """A worker's word that a key is gone: it is opened if it has that form alone."""
    stale = data if is_stale(data) else (sign_stale(9, bound=bytes(32), notice_key=_NOTICE))
    with suppress(EnvelopeError):
        open_stale(stale, bound=bytes(32), notice_key=_NOTICE.public_key())


def joining_targets() -> Mapping[str, Target]:
    """Parsers of both messages, of the code, and of what the fleet keeps of it."""
    request = joining.seal_request(
        _SECRET, Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())
    )
    answer = joining.seal_welcome(_WELCOME, _SECRET, b"request")
    refusal = joining.seal_refusal(Refusal.USED, _SECRET, b"request")
    plain = joining._open(_SECRET.request_key, request, joining._REQUEST)
    answers = (EnvelopeError, JoinRefusedError)
    invitation = Invitation(device="board-1", pool="main", expires_s=9, secret="00" * 32)
    word = sign_stale(9, bound=bytes(32), notice_key=_NOTICE)
    return {
        **_renewals(),
        "worker's word": Target(_word, (), (word,)),
        "join request": Target(
            lambda data: joining.open_request(data, _SECRET), (EnvelopeError,), (request,)
        ),
        "join answer": Target(
            lambda data: joining.open_answer(data, _SECRET, b"request"), answers, (answer, refusal)
        ),
        "join request's content": Target(_request_content, (EnvelopeError,), (plain,)),
        "join answer's content": Target(
            _answer_content, answers, (b"\0" + _WELCOME.write(), bytes([Refusal.USED]))
        ),
        "join code": Target(_code, (ValueError,), (JoinCode.new().shown().encode(),)),
        "invitation": Target(
            lambda data: Invitation.read(data).opened(), (ValueError,), (invitation.write(),)
        ),
    }
