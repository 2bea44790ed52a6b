"""A device's new keys: made on the board, granted by the operator, put in place of the old ones.

    keys/renewal/   identity.key  tls.key  request.json     before it asks
                    answer.json                             when it is granted: now it is certain
        | one after the other, and again after a crash
    keys/           identity.key  tls.key  tls.pem

The same request is sent until it is answered, also days later. Until then the old keys are used.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.certificates import new_key, private_pem
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.wire import topics
from broker.wire.certificate import check_certificate, load_tls_key
from broker.wire.credentials import IDENTITY_KEY, DeviceCard, DeviceCredentials, load_device
from broker.wire.errors import BrokerUnavailableError, KeyFileError
from broker.wire.keys import signing_key_name
from broker.wire.renewal import make_request, read_answer
from broker.wire.session import (
    FAILURE,
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Online,
    Received,
    Session,
)
from broker.wire.tls import AUTHORITY, CERTIFICATE, PRIVATE_KEY
from firstline.device_keys import GRANTED, STAGE

_REQUEST = "request.json"
_DONE: Final = "done.json"
_EXPIRY_S: Final = 30 * 86_400  # of a request at the broker: the operator may come late


def request_of(keys: Path) -> bytes:
    """Make new keys and the request for them, or find those of a command that was cut short.

    Raises:
        KeyFileError: the device's keys cannot be used.
        OSError: the disk refused.
    """
    path = keys / STAGE / _REQUEST
    if (path.parent / _DONE).exists():  # a removal that was cut short
        shutil.rmtree(path.parent)
    if path.exists():
        return path.read_bytes()
    device = load_device(keys)
    make_private(path.parent)
    signing, tls = Ed25519PrivateKey.generate(), new_key()
    card = DeviceCard(fleet=device.fleet, device=device.device, pool=device.pool)
    request = make_request(card, device.signing_key, signing, tls)
    store(path.parent / IDENTITY_KEY, signing.private_bytes_raw().hex().encode())
    store(path.parent / PRIVATE_KEY, private_pem(tls))
    store(path, request)  # last: it says that the others are there
    return request


def grant(keys: Path, answer: bytes) -> None:
    """Take the root's answer to our request, and put the new keys in place.

    Raises:
        KeyFileError: it is not the root's answer to it.
        OSError: the disk refused; `settle` goes on from there.
    """
    device, stage = load_device(keys), keys / STAGE
    renewed = read_answer(answer, (stage / _REQUEST).read_bytes(), device.root)
    if (renewed.fleet, renewed.device) != (device.fleet, device.device):
        raise KeyFileError("this renewal is another device's")
    check_certificate(
        renewed.certificate,
        (keys / AUTHORITY).read_text(encoding="ascii"),
        name=device.device,
        key=load_tls_key(stage / PRIVATE_KEY).public_key(),
    )
    store(stage / CERTIFICATE, renewed.certificate.encode())
    store(stage / GRANTED, answer)  # last: from here on the new keys are ours
    settle(keys)


def settle(keys: Path) -> bool:
    """Finish a renewal that was granted and cut short; whether there was one.

    Raises:
        OSError: the disk refused.
    """
    stage = keys / STAGE
    if not (stage / GRANTED).exists():
        return False
    for name in (IDENTITY_KEY, PRIVATE_KEY, CERTIFICATE):
        store(keys / name, (stage / name).read_bytes())
    (stage / GRANTED).rename(stage / _DONE)  # else a cut short removal would begin again
    shutil.rmtree(stage)
    return True


def ask(keys: Path, address: Address, *, wait_s: float, told: Callable[[str], None]) -> str:
    """Ask for new keys until they are granted; return the new key's name, hex.

    Raises:
        TimeoutError: nobody granted them yet; the request stays at the broker.
        BrokerUnavailableError: there was no broker to ask, or it refuses.
        KeyFileError: the device's keys cannot be used.
    """
    device, request = load_device(keys), request_of(keys)
    heard: SimpleQueue[Event] = SimpleQueue()
    # A clean start: replies to the agent's questions, if any wait there, are sent again.
    address = replace(address, client_id=device.device, session_expiry_s=0)
    hearing = [topics.renewal_answer(device.fleet, device.device)]
    give_up_s, reason = time.monotonic() + wait_s, "the broker does not answer"
    with Session(address, subscriptions=hearing, sink=heard.put) as session:
        while (left_s := give_up_s - time.monotonic()) > 0:
            try:
                event = heard.get(timeout=left_s)
            except Empty:
                break
            match event:
                case Online():
                    reason = ""
                    session.publish(_request(device, request))
                case Offline(why):
                    reason = why
                    told(why)
                case Acknowledged(code=code) if code >= FAILURE:
                    raise BrokerUnavailableError(f"the broker refuses the request, code {code:#x}")
                case Received(payload=payload, receipt=receipt):
                    session.ack(receipt)
                    if _granted(keys, payload, told):
                        session.publish(_request(device, b""))  # it need not wait there any more
                        return signing_key_name(load_device(keys).signing_key.public_key()).hex()
                case _:
                    pass
    if reason:
        raise BrokerUnavailableError(reason)
    raise TimeoutError(
        "nobody granted the new keys yet: the old ones stay. The request waits at the broker for "
        "'firstline fleet renew'; then give this command again"
    )


def _granted(keys: Path, payload: bytes, told: Callable[[str], None]) -> bool:
    try:
        grant(keys, payload)
    except KeyFileError as error:  # of an earlier request, or forged
        told(f"an answer is passed over: {error}")
        return False
    return True


def _request(device: DeviceCredentials, payload: bytes) -> Message:
    topic = topics.renewal_request(device.fleet, device.device)
    return Message(topic, payload, retain=True, expiry_s=_EXPIRY_S)
