"""Label -> answer: what a classifier's answer says, on the device and in the worker alike.

    "email_sendemail" for "write to <EMAIL_1>"  ->  "email_sendemail <EMAIL_1>"

The placeholders of a text follow its label, so that the device can put the values back in and an
application gets what it needs to act, although no model ever saw it.
"""

import re

from broker.wire.payload import Payload, Text

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,62}_[0-9]{1,9}>", re.ASCII)


def worded(label: str, payload: Payload) -> str:
    """The answer for a label: the label, then each placeholder of the question, once."""
    if not isinstance(payload, Text):
        return label
    return " ".join([label, *dict.fromkeys(_PLACEHOLDER.findall(payload.text))])
