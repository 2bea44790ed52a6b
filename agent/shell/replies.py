"""Replies that came together end their questions together: all wait for the disk once."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

from agent.pipeline import Pipeline
from agent.stages import Ended
from agent.store.errors import StoreError, UnknownTicketError
from broker.wire.errors import WireError
from broker.wire.session import Received

_TICKET_BYTES = 16

_log = logging.getLogger(__name__)


def finish(replies: Sequence[Received], pipeline: Pipeline, counters: Counter[str]) -> list[UUID]:
    """Deliver what these replies answer; return the tickets that have ended.

    Raises:
        OutboxFullError: the disk takes no more; nothing is delivered, the replies come again.
    """
    read = list(_read(replies, pipeline, counters))
    if not read:
        return []
    first = pipeline.end(read)
    counters["replies_repeated"] += len(read) - len(first)
    return [ended.delivery.ticket for ended in first]


def _read(
    replies: Sequence[Received], pipeline: Pipeline, counters: Counter[str]
) -> Iterator[Ended]:
    for message in replies:
        if len(message.correlation) != _TICKET_BYTES:
            counters["replies_refused"] += 1
            continue
        ticket = UUID(bytes=message.correlation)
        try:
            if pipeline.post.learn_date(ticket, message.payload):
                counters["dates_told"] += 1
                continue
            if ended := pipeline.read(ticket, message.payload):
                yield ended
        except WireError as error:
            counters["replies_refused"] += 1
            _log.warning("%s: reply refused: %s", ticket, error)
        except UnknownTicketError:
            counters["replies_repeated"] += 1
        except StoreError as error:
            counters["rows_unreadable"] += 1
            _log.warning("%s: %s", ticket, error)
