"""What goes through an MQTT session, and what comes out of it. Values only, so paho is not here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from broker.wire.tls import TlsFiles, Unproven

NO_MATCHING_SUBSCRIBERS = 0x10  # MQTT 5.0, section 3.4.2.1: a "success" that nobody heard
FAILURE = 0x80  # reason codes from here on are refusals
IN_FLIGHT = 64  # publishes without a PUBACK at once; more are slower through paho
_REFUSALS = {  # MQTT 5.0, sections 3.4.2.1 and 3.9.3
    0x80: "the broker does not say why",
    0x83: "the broker does not do this",
    0x87: "not authorized: the broker's access rules do not allow it",
    0x8F: "topic filter invalid",
    0x90: "topic name invalid",
    0x91: "packet identifier in use",
    0x97: "quota exceeded",
    0x99: "payload format invalid",
    0x9E: "the broker has no shared subscriptions",
    0xA1: "the broker has no subscription identifiers",
    0xA2: "the broker has no wildcards",
}


_ENDINGS = {  # MQTT 5.0, section 3.14.2.1: where its own words leave a person alone
    0x80: "without a word: the network or the broker failed, or a second connection has our name",
    0x8E: "another connection has taken our name: no two may use one folder of keys",
    0x98: "the operator has changed what we may do, or thrown us out",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `Session.ack` needs. Worthless after a reconnect (MQTT 5.0, section 4.4)."""

    mid: int  # 0: it came at QoS 0, and the broker wants no PUBACK
    connection: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came off the wire, not yet acknowledged."""

    topic: str
    payload: bytes = field(repr=False)
    correlation: bytes
    receipt: Receipt
    user: Mapping[str, str] = field(default_factory=dict)  # MQTT 5.0, section 3.3.2.3.7


@dataclass(frozen=True, slots=True)
class Online:
    """Connected. The broker takes this many unacknowledged publishes at once."""

    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Offline:
    """Not connected, and why."""

    reason: str
    refused: bool = False  # the broker is there, and does not let us in
    code: int = 0  # with which it said so; 0: it hung up, maybe by chance


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker's PUBACK. That is not delivery."""

    mid: int
    code: int  # MQTT 5.0, section 3.4.2.1


@dataclass(frozen=True, slots=True)
class Breached:
    """The broker sent what it must not send; `Offline` follows."""

    counter: str  # that counts it: see `client`

    def __str__(self) -> str:
        return f"it broke the protocol: {self.counter.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class SubscriptionRefused:
    """The broker brings nothing of what a filter names."""

    subscription: str
    code: int  # MQTT 5.0, section 3.9.3
    counter: ClassVar[str] = "subscriptions_refused"

    def __str__(self) -> str:
        return f"it brings nothing of {self.subscription}: {refusal(self.code)}"


Event = Received | Online | Offline | Acknowledged | Breached | SubscriptionRefused


@dataclass(frozen=True, slots=True)
class Message:
    """What to publish."""

    topic: str
    payload: bytes = field(repr=False)
    correlation: bytes = b""
    answer_topic: str = ""
    expiry_s: int | None = None
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is, who we are to it, and what it keeps for us."""

    host: str
    port: int
    client_id: str  # names the broker-side session, so a device's must be stable
    session_expiry_s: int = 0  # 0: a clean start each time, as workers want
    receive_maximum: int = 64
    max_packet_bytes: int = 256 * 1024  # twice our longest message
    tls: TlsFiles | Unproven | None = None  # None: in the clear, for a broker on this machine
    user: str = ""  # only where there is no certificate yet
    password: str = field(default="", repr=False)


def ending(code: int, words: str) -> str:
    """Why the broker ends a connection; `words` are the specification's."""
    return _ENDINGS.get(code, words)


def refusal(code: int) -> str:
    """A reason code of 0x80 or more, in words."""
    return f"{_REFUSALS.get(code, 'no reason that we know')} ({code:#x})"
