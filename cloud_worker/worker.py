"""One question, from sealed bytes to a sealed reply. No socket, no thread, no clock of its own.

    topic, bytes --receive--> Job ------ a model ------> finish --> Letter
                          |-> Answered   a repeat, a wrong date, a key that is gone, a refusal
                          |-> Dropped    not for us, forged, altered, or being worked on

Cheap checks come first, and nothing is stored before all of them have passed.
"""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace

from broker.wire.credentials import WorkerCredentials
from broker.wire.envelope import Header, Verified, open_question, parse, seal_reply, verify
from broker.wire.errors import EnvelopeError, MessageError, TopicError
from broker.wire.messages import Refused, WrongDate, dump_reply, load_question
from broker.wire.stale import sign_stale
from broker.wire.topics import Route
from cloud_worker.devices import Devices
from cloud_worker.letters import Answered, Dropped, Envelope, Job, Letter, Outcome, Reason
from cloud_worker.limits import Limits
from cloud_worker.models import Completers
from cloud_worker.pool_keys import PoolKeys
from cloud_worker.store import ClaimStore, Done, New, Request, State, Working


class Worker:
    """Answers the questions of one pool. Use from one thread.

    Args:
        credentials: The pool's keys.
        devices: Who may ask.
        completers: The models.
        store: Claims and replies.
        limits: What to take on.
    """

    def __init__(
        self,
        *,
        credentials: WorkerCredentials,
        devices: Devices,
        completers: Completers,
        store: ClaimStore,
        limits: Limits,
    ) -> None:
        self.fleet, self.pool = credentials.fleet, credentials.pool
        self.completers = completers
        self.limits = limits
        self._keys = PoolKeys(credentials, proof_s=limits.clock_proof_s)
        self._devices = devices
        self._store = store

    @property
    def keys_end_s(self) -> float:
        """Until when devices can seal to a key of ours (Unix time, seconds); 0: to none."""
        return self._keys.ends_s

    def together(self) -> AbstractContextManager[None]:
        """Claims and replies in here are stored all at once, when it ends.

        Raises:
            ClaimStoreError: the disk refused; none is stored.
        """
        return self._store.together()

    def receive(self, topic: str, wire: bytes, *, now_s: float) -> Outcome:
        """Take a question in. Nothing is claimed yet.

        Raises:
            ClaimStoreError: the disk refused.
        """
        proven = self._prove(topic, wire)
        if isinstance(proven, Dropped):
            return proven
        route, question = proven
        header = question.header
        expires_s = header.expires_s + self.limits.skew_s
        request = Request(route.device, header.ticket, question.bound, expires_s)
        settled = _settled(self._store.look(request, now_s=now_s), route.answer, request)
        return settled or self._open(route.answer, question, request, now_s)

    def claim(self, job: Job, *, now_s: float) -> Outcome:
        """Claim an accepted question; another worker on our store may have been faster.

        Raises:
            ClaimStoreError: the disk refused.
        """
        request = job.envelope.request
        state = self._store.claim(request, now_s=now_s)
        return _settled(state, job.envelope.topic, request) or job

    def finish(self, job: Job, body: bytes) -> Letter:
        """Seal and store a written reply. The first one that is stored counts.

        Raises:
            ClaimStoreError: the disk refused.
        """
        letter = seal(job.envelope, body)
        counts = self._store.finish(job.envelope.request, letter.sealed)
        return replace(letter, sealed=counts)

    def release(self, job: Job) -> None:
        """Give up a claim.

        Raises:
            ClaimStoreError: the disk refused.
        """
        self._store.release(job.envelope.request)

    def keep_house(self, *, now_s: float) -> Counter[str]:
        """Bring replies to the disk, forget what nobody can ask again, see who joined the fleet.

        Return what has happened to keys and rosters since the start.

        Raises:
            ClaimStoreError: the disk refused.
        """
        self._devices.refresh()
        self._keys.refresh(now_s)
        self._store.persist()
        self._store.forget(now_s=now_s)
        return self._keys.counters + Counter(rosters_refused=self._devices.refused)

    def _prove(self, topic: str, wire: bytes) -> tuple[Route, Verified] | Dropped:
        reason = Reason.ENVELOPE
        try:
            sealed = parse(wire)  # refuses what is too long before looking at it
            reason = Reason.TOPIC
            route = Route.parse(topic)
            if (route.fleet, route.pool) != (self.fleet, self.pool):
                return Dropped(Reason.TOPIC)
            reason = Reason.DEVICE
            key = self._devices.signing_key(route.device, sealed.header.device_key)
            reason = Reason.SIGNATURE
            return route, verify(sealed, route, key)
        except (EnvelopeError, TopicError):
            return Dropped(reason)

    def _open(self, topic: str, question: Verified, request: Request, now_s: float) -> Outcome:
        keys = self._keys.at(now_s)
        if question.header.pool_key not in keys:
            return self._stale(topic, question, request, now_s)
        try:
            body, key = open_question(question, keys)
        except EnvelopeError:
            return Dropped(Reason.KEY)
        envelope = Envelope(topic, request, key)
        if not self._in_time(question.header, now_s):
            return Answered(Reason.DATE, seal(envelope, dump_reply(WrongDate(int(now_s)))))
        try:
            asked = load_question(body)
        except MessageError as error:
            return _refusal(envelope, str(error))
        completer = self.completers.get(asked.domain)
        if completer is None:
            return _refusal(envelope, f"no model for the domain {asked.domain}")
        return Job(envelope, asked, completer, question.header.expires_s)

    def _stale(
        self, topic: str, question: Verified, request: Request, now_s: float
    ) -> Answered | Dropped:
        if self._keys.notice_key is None:
            return Dropped(Reason.STALE)
        word = sign_stale(int(now_s), bound=question.bound, notice_key=self._keys.notice_key)
        return Answered(Reason.STALE, _letter(topic, request, word))

    def _in_time(self, header: Header, now_s: float) -> bool:
        # A date that is far off would keep its claim for years, or repeat after it is forgotten.
        skew_s = self.limits.skew_s
        wait_s = header.expires_s - header.created_s
        due = header.created_s - skew_s <= now_s <= header.expires_s
        return due and 0 <= wait_s <= self.limits.longest_wait_s + skew_s


def seal(envelope: Envelope, body: bytes) -> Letter:
    """Seal a written reply, which nothing stores."""
    return _letter(envelope.topic, envelope.request, seal_reply(body, envelope.key))


def _refusal(envelope: Envelope, reason: str) -> Answered:
    return Answered(Reason.REFUSED, seal(envelope, dump_reply(Refused(reason))))


def _settled(state: State, topic: str, request: Request) -> Answered | Dropped | None:
    match state:
        case Done(reply):
            return Answered(Reason.REPEATED, _letter(topic, request, reply))
        case Working():
            return Dropped(Reason.WORKING)
        case New():
            return None


def _letter(topic: str, request: Request, sealed: bytes) -> Letter:
    return Letter(topic, request.ticket, request.expires_s, sealed)
