"""What can go wrong on the wire, split by what the caller does about it.

* WireError                  the peer sent something we refuse; retrying cannot help
  - TopicError               not a topic of ours
  - EnvelopeError            wrong key, altered bytes, moved to another topic, or stale
  - MessageError             opened, but does not match the schema
* JoinRefusedError           the operator does not let this board in
* KeyFileError               a key, bundle or roster of ours is missing, altered or out of date
* BrokerUnavailableError     offline or not acknowledged in time; retry later
"""


class WireError(Exception):
    """The peer sent something we refuse. Retrying cannot help."""


class TopicError(WireError):
    """The topic is not one of ours."""


class EnvelopeError(WireError):
    """The envelope does not open. Which check failed is deliberately not told."""


class MessageError(WireError):
    """The envelope opened, but its content does not match the schema."""


class JoinRefusedError(Exception):
    """The operator has the request of this board and does not let it in."""


class KeyFileError(Exception):
    """A key, key bundle or roster on this machine cannot be used."""


class BrokerUnavailableError(Exception):
    """The broker cannot take this now. Retrying later can help."""
