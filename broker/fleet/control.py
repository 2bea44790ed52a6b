"""Changes the access rules of a running mosquitto, as the operator, without a restart.

    fleet's folder -> who is to be known --compare-- who is known -> commands -> the broker

A client that is taken away is cut off at once; what is right already is left alone. The plugin
writes its file itself.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from broker.fleet import dynsec
from broker.fleet.access import CONTROL, CONTROL_ANSWERS, Member
from broker.fleet.authority import OPERATOR_FOLDER
from broker.fleet.certificates import OPERATOR
from broker.fleet.errors import RulesRefusedError
from broker.wire.errors import BrokerUnavailableError
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
from broker.wire.tls import TlsFiles

_PATIENCE_S: Final = 10.0
_NAMES: Final = 1_000  # of clients, in one answer
_ROLES: Final = 100  # with their rules, in one answer
_COMMANDS: Final = 10  # at once: the broker does nothing else, and writes its file after each

Command = dict[str, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """What was not right before: names of clients."""

    added: tuple[str, ...]
    removed: tuple[str, ...]  # and cut off
    changed: tuple[str, ...]  # their roles

    def __str__(self) -> str:
        told = {"added": self.added, "removed": self.removed, "changed": self.changed}
        words = [f"{what} {', '.join(names)}" for what, names in told.items() if names]
        return "; ".join(words) or "nothing to change"


def bring_into_line(fleet: Path, members: Sequence[Member], *, host: str, port: int) -> Changes:
    """Have a running broker know exactly these members.

    Raises:
        BrokerUnavailableError: it cannot be reached.
        RulesRefusedError: it does not take us for its operator, or a command of ours.
        KeyFileError: the operator's certificate cannot be used.
    """
    address = Address(
        host=host, port=port, client_id=OPERATOR, tls=TlsFiles.of(fleet / OPERATOR_FOLDER)
    )
    wanted = {member.role.name: member for member in members if member.role.name != OPERATOR}
    with _controlling(address) as control:
        known = set(control.clients()) - {OPERATOR}
        roles = {name: rules for name, rules in control.roles() if name != OPERATOR}
        changes = Changes(
            added=tuple(sorted(wanted.keys() - known)),
            removed=tuple(sorted(known - wanted.keys())),
            changed=tuple(
                name
                for name in sorted(wanted.keys() & roles.keys())
                if roles[name] != _rules(dynsec.role(wanted[name].role))
            ),
        )
        control.tell(list(_commands(changes, wanted, roles.keys() - wanted.keys(), set(roles))))
    return changes


def _commands(
    changes: Changes, wanted: dict[str, Member], idle: set[str], roles: set[str]
) -> Iterator[Command]:
    for name in changes.removed:
        yield {"command": "deleteClient", "username": name}
    for name in sorted(idle):
        yield {"command": "deleteRole", "rolename": name}
    for name in changes.changed:
        yield {"command": "modifyRole", **dynsec.role(wanted[name].role)}
    for name in sorted(wanted.keys() - roles):
        yield {"command": "createRole", **dynsec.role(wanted[name].role)}
    for name in changes.added:
        password = wanted[name].password
        secret = {"password": password} if password else {}
        yield {"command": "createClient", **dynsec.client(wanted[name]), **secret}


def _rules(role: Command) -> frozenset[tuple[str, str]]:
    rules: Any = role.get("acls", ())
    return frozenset((str(rule["acltype"]), str(rule["topic"])) for rule in rules)


@contextmanager
def _controlling(address: Address) -> Iterator["_Control"]:
    heard: SimpleQueue[Event] = SimpleQueue()
    with Session(address, subscriptions=[CONTROL_ANSWERS], sink=heard.put) as session:
        yield _Control(session, heard, f"{address.host}:{address.port}")


class _Control:
    """The operator's connection."""

    def __init__(self, session: Session, heard: SimpleQueue[Event], where: str) -> None:
        self._session, self._heard, self._where = session, heard, where
        self._online = False

    def clients(self) -> Iterator[str]:
        """The names of all clients."""
        for each in self._listed("listClients", "clients", _NAMES, verbose=False):
            yield str(each)

    def roles(self) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
        """The names of all roles, with their rules."""
        for each in self._listed("listRoles", "roles", _ROLES, verbose=True):
            yield str(each["rolename"]), _rules(each)

    def tell(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        """Have commands carried out; their answers."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(commands), _COMMANDS):
            part = commands[start : start + _COMMANDS]
            self._publish(Message(CONTROL, json.dumps({"commands": part}).encode()))
            answers += self._answers()
        for answer in answers:
            if "error" in answer:
                raise RulesRefusedError(f"{self._where}: {answer['command']}: {answer['error']}")
        return answers

    def _listed(self, command: str, what: str, count: int, *, verbose: bool) -> Iterator[Any]:
        offset, total = 0, 1
        while offset < total:
            page = {"command": command, "verbose": verbose, "count": count, "offset": offset}
            (answer,) = self.tell([page])
            data = answer["data"]
            total = int(data["totalCount"])
            if not data[what]:
                return
            yield from data[what]
            offset += len(data[what])

    def _publish(self, message: Message) -> None:
        while not self._online:
            event = self._next()
            self._online = isinstance(event, Online)
            if isinstance(event, Offline):
                raise BrokerUnavailableError(f"{self._where}: {event.reason}")
        self._session.publish(message)

    def _answers(self) -> list[dict[str, Any]]:
        while True:
            match self._next():
                case Received(payload=payload) as event:
                    self._session.ack(event.receipt)
                    return _responses(payload, self._where)
                case Acknowledged(code=code) if code >= FAILURE:
                    raise RulesRefusedError(
                        f"{self._where}: the broker does not take us for its operator. Write its "
                        "rules again with 'firstline broker config' or 'firstline broker up'"
                    )
                case Offline(reason):
                    raise BrokerUnavailableError(f"{self._where}: {reason}")
                case _:
                    pass

    def _next(self) -> Event:
        try:
            return self._heard.get(timeout=_PATIENCE_S)
        except Empty:
            raise BrokerUnavailableError(
                f"{self._where}: no answer within {_PATIENCE_S:.0f} s"
            ) from None


def _responses(payload: bytes, where: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(payload)["responses"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RulesRefusedError(f"{where}: the broker's answer makes no sense") from None
