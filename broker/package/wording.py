"""What a model found -> answer: what is said, on the device and in the worker alike.

    "email_sendemail" for "write to <EMAIL_1>"  ->  "email_sendemail <EMAIL_1>"

The placeholders of a question follow its label, so that the device can put the values back in
and an application gets what it needs in order to act, although no model saw it. Free text
stands as it is: a language model has copied what it needs.
"""

import re

from broker.package.heads import Head, TextHead
from broker.wire.payload import Payload, Record, Text, Window

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,62}_[0-9]{1,9}>", re.ASCII)


def worded(answer: str, head: Head, payload: Payload) -> str:
    """The answer of a head; after a label or number, each placeholder of the question, once."""
    if isinstance(head, TextHead) and not head.labels:
        return answer
    return followed(answer, payload)


def followed(label: str, payload: Payload) -> str:
    """A label, followed by each placeholder of the question, once."""
    return " ".join([label, *dict.fromkeys(_placeholders(payload))])


def is_placeholder(value: float | str) -> bool:
    """Whether a record's value is a placeholder: it names something, and tells a model nothing."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None


def _placeholders(payload: Payload) -> list[str]:
    match payload:
        case Text(text):
            return _PLACEHOLDER.findall(text)
        case Record(fields):
            return [
                value
                for value in fields.values()
                if isinstance(value, str) and is_placeholder(value)
            ]
        case Window():
            return []
