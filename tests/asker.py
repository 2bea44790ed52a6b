"""A device without an agent: real keys, seals questions and opens their replies."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

from broker.fleet import pools
from broker.fleet.devices import revoke
from broker.fleet.epochs import EpochPlan, extend, renew
from broker.fleet.keys import enroll, init
from broker.fleet.root import open_root
from broker.wire.credentials import DeviceCredentials, load_device
from broker.wire.envelope import Header, ReplyKey, open_reply, seal_question
from broker.wire.keys import Suite, signing_key_name, supported_suites
from broker.wire.messages import Question, Reply, dump_question, load_reply
from broker.wire.payload import Text
from broker.wire.topics import DeviceId, FleetId, PoolId, Route

FLEET = FleetId("home")
POOL = PoolId("main")
DOMAIN = "echo"
FEW_EPOCHS = EpochPlan(epochs=3)  # each takes a moment to make
HELLO = Question(DOMAIN, Text("hello <NAME_1>"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A sealed question, and what opens its replies."""

    route: Route
    ticket: UUID
    wire: bytes = field(repr=False)
    key: ReplyKey = field(repr=False)

    def read(self, reply: bytes) -> Reply:
        """Open a reply.

        Raises:
            WireError: it is not one to this question.
        """
        return load_reply(open_reply(reply, self.key))


@dataclass(frozen=True, slots=True)
class Asker:
    """The keys of one device."""

    credentials: DeviceCredentials

    @property
    def route(self) -> Route:
        """Where its questions go and its replies come from."""
        return Route(self.credentials.fleet, self.credentials.pool, self.credentials.device)

    def header(self, *, now_s: float, suites: tuple[Suite, ...], life_s: float = 60.0) -> Header:
        """The header of a new question."""
        bundle = self.credentials.bundle
        pool_key = bundle.best_key(suites, max(now_s, bundle.made_s))  # as a device does
        return Header(
            suite=pool_key.suite,
            pool_key=pool_key.name,
            device_key=signing_key_name(self.credentials.signing_key.public_key()),
            ticket=uuid4(),
            created_s=int(now_s),
            expires_s=int(now_s + life_s),
        )

    def ask(
        self,
        question: Question = HELLO,
        *,
        now_s: float | None = None,
        created_s: float | None = None,
        ticket: UUID | None = None,
        life_s: float = 60.0,
    ) -> Asked:
        """Seal a question; `now_s` is the device's clock, `created_s` what it claims."""
        now_s = time.time() if now_s is None else now_s
        made_s = now_s if created_s is None else created_s
        header = self.header(now_s=made_s, suites=supported_suites(), life_s=life_s)
        header = replace(header, ticket=ticket or header.ticket)
        return self.seal(dump_question(question), header)

    def seal(self, body: bytes, header: Header, *, route: Route | None = None) -> Asked:
        """Seal any bytes under any header."""
        route = route or self.route
        key = self.credentials.bundle.best_key((header.suite,), time.time())
        wire, reply_key = seal_question(
            body,
            route=route,
            pool_key=key,
            device_key=self.credentials.signing_key,
            header=header,
        )
        return Asked(route, header.ticket, wire, reply_key)


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet made for one test."""

    folder: Path

    @property
    def worker_folder(self) -> Path:
        """The keys of the pool's workers."""
        return self.folder / "workers" / POOL

    def device_folder(self, asker: "Asker") -> Path:
        """The keys of a device."""
        return self.folder / "devices" / asker.route.device

    def enroll(self, device: str, pool: PoolId = POOL) -> Asker:
        """Add a device."""
        pools.add(self.folder, pool, now_s=time.time(), plan=FEW_EPOCHS)
        enrolment = enroll(self.folder, DeviceId(device), pool, now_s=time.time())
        return Asker(load_device(enrolment.device_folder))

    def rotate(self, plan: EpochPlan | None = None, *, now_s: float | None = None) -> bytes:
        """Make more epochs; return the new bundle as the root signed it."""
        root = open_root(self.folder)
        extend(root, POOL, plan, now_s=time.time() if now_s is None else now_s)
        return self.bundle()

    def renew(self, plan: EpochPlan | None = None, *, now_s: float | None = None) -> bytes:
        """Give up every key of the pool; return the new bundle as the root signed it."""
        root = open_root(self.folder)
        renew(root, POOL, plan, now_s=time.time() if now_s is None else now_s)
        return self.bundle()

    def bundle(self) -> bytes:
        """The pool's bundle as the root signed it."""
        return (self.folder / "pools" / POOL / "bundle.json").read_bytes()

    def revoke(self, asker: Asker) -> None:
        """Take a device out of the fleet."""
        revoke(open_root(self.folder), asker.route.device)


def make_fleet(folder: Path) -> Fleet:
    """Make a fleet without devices."""
    init(folder, FLEET)
    return Fleet(folder)
