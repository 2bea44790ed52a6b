"""Hands answers to the outputs of their tasks, and keeps those that no output takes now."""

import logging
from collections.abc import Callable, Mapping, Sequence

from agent.errors import OutputUnavailableError
from agent.post import Post
from agent.stages import Delivery
from agent.task import Task

_log = logging.getLogger(__name__)


def settle(deliveries: Sequence[Delivery], tasks: Mapping[str, Task], post: Post) -> None:
    """Deliver stored answers, and forget those that were taken, all at once."""
    settled = []
    try:
        for delivery in deliveries:
            if hand_over(delivery, tasks, lambda late: post.postpone_delivery(late.ticket)):
                settled.append(delivery.ticket)  # noqa: PERF401 - what is raised keeps the rest
    finally:
        if settled:
            post.outbox.settle(settled)


def hand_over(
    delivery: Delivery, tasks: Mapping[str, Task], keep: Callable[[Delivery], None]
) -> bool:
    """Deliver an answer; false if no output took it and it was given to `keep`."""
    try:
        _deliver(delivery, tasks)
    except OutputUnavailableError as error:
        _log.warning("%s: answered, delivery later: %s", delivery.ticket, error)
        keep(delivery)
        return False
    return True


def _deliver(delivery: Delivery, tasks: Mapping[str, Task]) -> None:
    task = tasks.get(delivery.task)
    if task is None:  # the settings were changed while it waited
        raise OutputUnavailableError(f"there is no task {delivery.task} any more")
    task.deliver(delivery)
