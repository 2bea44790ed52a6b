"""Puts an agent together from its parts, whatever they come from: settings, a bench, the demo."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from agent.pipeline import Pipeline
from agent.post import Post
from agent.referee import Referee
from agent.shell.courier import Courier
from agent.shell.loop import AgentEvent, Input, Loop
from agent.shell.presence import Presence
from agent.store.errors import OutboxFullError
from agent.store.memo import Safe
from agent.store.outbox import Outbox
from agent.store.spending import Spending
from agent.task import Task
from broker.wire import topics
from broker.wire.credentials import DeviceCredentials
from broker.wire.keys import supported_suites
from broker.wire.session import Address, Session

OUTBOX = "outbox.db"
_SESSION_EXPIRY_S = 3600  # the broker keeps replies for a device that is away this long
_SESSION_NUMBER = "session_number"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentParts:
    """What differs from one agent to the next."""

    credentials: DeviceCredentials
    host: str
    port: int
    state: Path
    tasks: Mapping[str, Task]
    queue: SimpleQueue[AgentEvent]
    inputs: Sequence[Input] = ()
    reload: Callable[[], dict[str, Task] | None] = lambda: None
    resend_s: float = 1.5
    max_questions: int = 100_000
    about: dict[str, str] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)


@contextmanager
def agent_loop(parts: AgentParts) -> Iterator[Loop]:
    """An agent that is connected, or keeps trying; run the loop.

    Raises:
        StoreError: the outbox cannot be opened.
    """
    with closing(Outbox(parts.state / OUTBOX, max_rows=parts.max_questions)) as outbox:
        post = _post(parts, outbox)
        presence = _presence(parts, outbox)
        session = _session(parts, post, presence)
        courier = Courier(
            route=post.route,
            outbox=outbox,
            publish=session.publish,
            now_s=time.time,
            resend_s=parts.resend_s,
            counters=parts.counters,
        )
        spending = Spending(outbox)
        pipeline = _pipeline(parts, post, spending)
        with _saved(spending), session:
            yield Loop(
                queue=parts.queue,
                pipeline=pipeline,
                courier=courier,
                link=session,
                presence=presence,
                inputs=parts.inputs,
                reload=parts.reload,
                counters=parts.counters,
            )


def _pipeline(parts: AgentParts, post: Post, spending: Spending) -> Pipeline:
    def count(name: str) -> None:
        parts.counters[name] += 1

    return Pipeline(
        post=post,
        referee=Referee(spending=spending, count=count),
        tasks=parts.tasks,
        now_s=time.time,
        count=count,
    )


@contextmanager
def _saved(spending: Spending) -> Iterator[None]:
    try:
        yield
    finally:
        try:
            spending.save()
        except OutboxFullError as error:
            _log.warning("the budgets are those of a moment ago at the next start: %s", error)


def _post(parts: AgentParts, outbox: Outbox) -> Post:
    return Post(
        credentials=parts.credentials,
        suites=supported_suites(),
        safe=Safe(parts.credentials.storage_key),
        outbox=outbox,
        now_s=time.time,
        resend_s=parts.resend_s,
    )


def _session(parts: AgentParts, post: Post, presence: Presence) -> Session:
    credentials = parts.credentials
    return Session(
        Address(
            host=parts.host,
            port=parts.port,
            client_id=credentials.device,
            session_expiry_s=_SESSION_EXPIRY_S,
        ),
        subscriptions=[
            post.route.answer,
            topics.every_worker(credentials.fleet, credentials.pool),
        ],
        sink=parts.queue.put,
        will=presence.will(),
    )


def _presence(parts: AgentParts, outbox: Outbox) -> Presence:
    number = int(outbox.number(_SESSION_NUMBER)) + 1
    try:
        outbox.remember(_SESSION_NUMBER, number)
    except OutboxFullError as error:  # it answers locally all the same
        _log.warning("%s", error)
    topic = topics.device_state(parts.credentials.fleet, parts.credentials.device)
    return Presence(topic=topic, session=number, about=parts.about, counters=parts.counters)
