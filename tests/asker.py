"""A device without an agent: real keys, seals questions and opens their replies."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

from msgspec import structs

from broker.fleet.keys import enroll, init
from broker.fleet.root import open_root
from broker.wire.credentials import DeviceCredentials, load_device
from broker.wire.envelope import Header, ReplyKey, open_reply, seal_question
from broker.wire.keys import Suite, signing_key_name, supported_suites
from broker.wire.messages import Question, Reply, dump_question, load_reply
from broker.wire.payload import Text
from broker.wire.roster import Roster
from broker.wire.topics import DeviceId, FleetId, PoolId, Route

FLEET = FleetId("home")
POOL = PoolId("main")
DOMAIN = "echo"
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
        pool_key = self.credentials.bundle.best_key(suites, now_s)
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

    def enroll(self, device: str, pool: PoolId = POOL) -> Asker:
        """Add a device."""
        enrolment = enroll(self.folder, DeviceId(device), pool, now_s=time.time())
        return Asker(load_device(enrolment.device_folder))

    def revoke(self, asker: Asker) -> None:
        """Take a device out of the fleet."""
        root = open_root(self.folder)
        roster = root.roster()
        name = asker.route.device
        revoked = structs.replace(roster.devices[name], revoked=True)
        devices = {**roster.devices, name: revoked}
        root.write_roster(Roster(fleet=FLEET, version=roster.version + 1, devices=devices))
        root.share_roster()


def make_fleet(folder: Path) -> Fleet:
    """Make a fleet without devices."""
    init(folder, FLEET)
    return Fleet(folder)
