"""The access rules as mosquitto's dynamic-security plugin reads them (its JSON, mosquitto 2.0).

Everything is refused but what a role allows. A client without a password can only connect with a
certificate, where the listener takes its name from there.
"""

import base64
import json
import os
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from broker.fleet.access import Member, Role

_ITERATIONS: Final = 101  # the plugin's own; our passwords are random, so that no more are needed
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64


def document(members: Sequence[Member]) -> bytes:
    """The plugin's whole file."""
    return json.dumps(
        {
            "defaultACLAccess": {
                "publishClientSend": False,
                "publishClientReceive": False,
                "subscribe": False,
                "unsubscribe": True,
            },
            "clients": [client(member) | _hashed(member.password) for member in members],
            "groups": [],
            "roles": [role(member.role) for member in members],
        },
        indent=1,
    ).encode()


def client(member: Member) -> dict[str, object]:
    """One client, without its password."""
    name = member.role.name
    return {"username": name, "roles": [{"rolename": name}]}


def role(wanted: Role) -> dict[str, object]:
    """One role."""
    rules = (
        *_rules("publishClientSend", wanted.publish),
        *_rules("publishClientReceive", wanted.receive),
        *_rules("subscribePattern", wanted.subscribe),
    )
    return {"rolename": wanted.name, "acls": rules}


def _rules(kind: str, filters: Iterable[str]) -> Iterable[dict[str, object]]:
    return ({"acltype": kind, "topic": each, "priority": 0, "allow": True} for each in filters)


def _hashed(password: str) -> dict[str, object]:
    if not password:
        return {}
    salt = os.urandom(_SALT_BYTES)
    key = PBKDF2HMAC(SHA512(), _HASH_BYTES, salt, _ITERATIONS).derive(password.encode())
    return {
        "password": base64.b64encode(key).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": _ITERATIONS,
    }
