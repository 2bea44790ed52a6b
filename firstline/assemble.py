"""Puts an agent together from its parts, whatever they come from: settings, a bench, the demo."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from agent.core.find import find
from agent.masker import Masker
from agent.pipeline import Pipeline
from agent.post import Post
from agent.referee import Referee
from agent.sealer import Sealer
from agent.shell.courier import Courier
from agent.shell.ends import Input
from agent.shell.jumps import CLOCK_JUMPS
from agent.shell.loop import AgentEvent, Loop
from agent.shell.presence import Presence
from agent.shell.updating import NO_UPDATES, Updating
from agent.stages import FindSpans
from agent.store.clock import DeviceClock
from agent.store.conversations import Conversations
from agent.store.errors import OutboxFullError
from agent.store.keyring import Keyring
from agent.store.memo import Safe
from agent.store.outbox import Outbox
from agent.store.spending import Spending
from agent.task import Task
from broker.wire import topics
from broker.wire.credentials import BUNDLE, DeviceCredentials
from broker.wire.keys import supported_suites
from broker.wire.session import Address, Session
from broker.wire.tls import TlsFiles

OUTBOX = "outbox.db"
_SESSION_EXPIRY_S = 3600  # the broker keeps replies for a device that is away this long
RESEND_S = 1.5  # a question without a reply is sent again after this
_SESSION_NUMBER = "session_number"
_SENT_BEFORE = 0.96  # of the time to the next try; the rest is for the try itself

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
    reload: Callable[[], Mapping[str, Task] | None] = lambda: None
    find: FindSpans = find
    resend_s: float = RESEND_S
    conversation_s: float = 86_400.0
    max_questions: int = 100_000
    tls: TlsFiles | None = None
    about: dict[str, str] = field(default_factory=dict)
    duties: Callable[[Courier], Sequence[Callable[[], None]]] = lambda _courier: ()
    updates: Callable[[Session, Post], Updating] = lambda _session, _post: NO_UPDATES
    subscriptions: Sequence[str] = ()  # besides those of every agent
    wall_s: Callable[[], float] = time.time  # the machine's clock: Unix time, seconds
    counters: Counter[str] = field(default_factory=Counter)

    @property
    def pause_s(self) -> float:
        """So that after `resend_s` a second try is not only sent, but answered."""
        return _SENT_BEFORE * self.resend_s

    def count(self, name: str) -> None:
        """Count one more."""
        self.counters[name] += 1


@contextmanager
def agent_loop(parts: AgentParts) -> Iterator[Loop]:
    """An agent that is connected, or keeps trying; run the loop.

    Raises:
        StoreError: the outbox cannot be opened.
        KeyFileError: the files for TLS cannot be used.
    """
    with (
        closing(Outbox(parts.state / OUTBOX, max_rows=parts.max_questions)) as outbox,
        closing(_conversations(parts, clock := _clock(parts, outbox))) as conversations,
    ):
        post = _post(parts, outbox, clock)
        presence = _presence(parts, outbox)
        session = _session(parts, post, presence)
        courier = Courier(
            route=post.route,
            outbox=outbox,
            publish=session.publish,
            now_s=clock.now_s,
            resend_s=parts.pause_s,
            counters=parts.counters,
            fresh=post.fresh,
        )
        spending = Spending(outbox)
        pipeline = _pipeline(parts, post, spending, conversations, clock)
        with _saved(spending), session:
            yield Loop(
                queue=parts.queue,
                pipeline=pipeline,
                courier=courier,
                link=session,
                clock=clock,
                presence=presence,
                inputs=parts.inputs,
                reload=parts.reload,
                counters=parts.counters,
                duties=parts.duties(courier),
                updates=parts.updates(session, post),
            )


def _pipeline(
    parts: AgentParts,
    post: Post,
    spending: Spending,
    conversations: Conversations,
    clock: DeviceClock,
) -> Pipeline:
    return Pipeline(
        post=post,
        masker=Masker(find=parts.find, conversations=conversations, count=parts.count),
        referee=Referee(spending=spending, count=parts.count),
        tasks=parts.tasks,
        now_s=clock.now_s,
        count=parts.count,
    )


def _conversations(parts: AgentParts, clock: DeviceClock) -> Conversations:
    return Conversations(
        parts.state / OUTBOX,
        key=parts.credentials.storage_key,
        lifetime_s=parts.conversation_s,
        now_s=clock.now_s,
        count=parts.count,
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


def _post(parts: AgentParts, outbox: Outbox, clock: DeviceClock) -> Post:
    keyring = Keyring(parts.credentials, suites=supported_suites(), file=parts.state / BUNDLE)
    return Post(
        sealer=Sealer(credentials=parts.credentials, keyring=keyring, wall_s=parts.wall_s),
        safe=Safe(parts.credentials.storage_key),
        outbox=outbox,
        now_s=clock.now_s,
        resend_s=parts.pause_s,
    )


def _clock(parts: AgentParts, outbox: Outbox) -> DeviceClock:
    """The device's own time, in which nobody waits longer than any task is patient."""
    clock = DeviceClock(outbox, wall_s=parts.wall_s)
    longest_s = max((task.patience_s for task in parts.tasks.values()), default=0.0)
    try:
        if outbox.clamp(clock.now_s(), longest_s):
            parts.count(CLOCK_JUMPS)
            _log.warning("the clock was set back while the agent was away; questions wait on")
    except OutboxFullError as error:  # they wait longer than they should
        _log.warning("%s", error)
    return clock


def _session(parts: AgentParts, post: Post, presence: Presence) -> Session:
    credentials = parts.credentials
    return Session(
        Address(
            host=parts.host,
            port=parts.port,
            client_id=credentials.device,
            session_expiry_s=_SESSION_EXPIRY_S,
            tls=parts.tls,
        ),
        subscriptions=[
            post.route.answer,
            topics.every_worker(credentials.fleet, credentials.pool),
            topics.pool_keys(credentials.fleet, credentials.pool),
            presence.topic,
            *parts.subscriptions,
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
