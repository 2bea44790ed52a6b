"""What comes from the fleet's broker and is no reply: keys, our own state, workers' presences."""

import logging
from collections import Counter

from agent.pipeline import Pipeline
from agent.shell.courier import Courier
from agent.shell.presence import Presence
from broker.wire.errors import KeyFileError
from broker.wire.session import Received
from broker.wire.topics import pool_keys

_log = logging.getLogger(__name__)


def hear(
    message: Received,
    pipeline: Pipeline,
    courier: Courier,
    presence: Presence,
    counters: Counter[str],
) -> None:
    """Do what a message is for. After new keys, all that waits is sent again at once."""
    route = courier.route
    if message.topic == presence.topic:
        presence.hear(message.payload)
        return
    if message.topic != pool_keys(route.fleet, route.pool):
        courier.heard_worker(message.topic, message.payload)
        return
    try:
        if pipeline.post.keyring.take(message.payload):
            counters["bundles_taken"] += 1
            pipeline.post.outbox.hurry(pipeline.now_s())
    except KeyFileError as error:
        counters["bundles_refused"] += 1
        _log.warning("the old key bundle stays: %s", error)
