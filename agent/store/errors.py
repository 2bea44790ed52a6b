"""What can go wrong with what the device stores.

* UnknownTicketError    already settled, expired, or never ours: a repeat
* OutboxFullError       no room; the question is answered on the device instead
* StoreError            a stored row was altered, or the file cannot be used
"""


class UnknownTicketError(Exception):
    """No such ticket: already settled, expired, or never ours."""


class OutboxFullError(Exception):
    """The outbox, or the disk under it, has no room for another question."""


class StoreError(Exception):
    """What was stored cannot be read: another key, altered bytes, or a broken file."""
