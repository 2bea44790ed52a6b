"""The straight line. Three doors in (`ask`, `finish`, `expire`), one out (`deliver`).

    ask:     Raw -> Clean -> (Masked, Vault) -> Draft -> Keep | Withhold ----> restore -> deliver
                                                      -> Escalate | Explore -> outbox ~~> worker
    finish:                     sealed reply -> memo -> unseal -> Answer ----> restore -> deliver
    expire:                       deadline or refusal -> memo -> draft ------> restore -> deliver

No step calls an earlier one, and no step knows who calls it. An answer to an escalated question is
stored before it is delivered, so it is delivered at least once and never in two versions.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from agent.core.clean import clean
from agent.handover import hand_over, settle
from agent.masker import Masker
from agent.post import Post
from agent.referee import NO_DRAFT, Referee
from agent.stages import (
    Asked,
    Delivery,
    Draft,
    Ended,
    Escalate,
    Explore,
    Keep,
    Masked,
    Origin,
    Raw,
    Withhold,
)
from agent.store.errors import OutboxFullError, StoreError, UnknownTicketError
from agent.store.outbox import Parcel
from agent.task import Task
from broker.wire.errors import KeyFileError, WireError
from broker.wire.messages import Answer, Busy, Question, Refused, WrongDate, dump_question
from broker.wire.stale import Stale

_CUT = "the model did not read the whole input, or was cut short"
_OVERSPENT = "not asked: the cloud budget is spent"

_log = logging.getLogger(__name__)

_Stored = TypeVar("_Stored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The device's whole job, given its parts. Built once, at the front door."""

    post: Post
    masker: Masker
    referee: Referee
    tasks: Mapping[str, Task]
    now_s: Callable[[], float]  # Unix time, seconds
    count: Callable[[str], None]  # what nobody else would notice

    def ask(self, ticket: UUID, raw: Raw) -> Parcel | None:
        """Answer on the device, or return a question that is now in the outbox.

        An input that comes again, since the agent was killed before removing it, is passed over.

        Raises:
            InputError: the input is not what its task takes.
            FinderError: personal data could not be found reliably, so nothing may go on.
            OutboxFullError: the conversation cannot be kept, so nothing may leave.
        """
        if self.post.outbox.knows(ticket):  # asked before a crash: it has its one answer, or will
            return None
        started_s = self.now_s()
        task = self.tasks[raw.task]
        cleaned = clean(raw, task.expect)
        result = self.masker.mask(task, cleaned, raw.conversation, ticket)
        decision = self.referee.decide(task, result.masked, ticket)
        asked = Asked(
            ticket=ticket,
            task=task.name,
            source=raw.source,
            started_s=started_s,
            vault=result.vault,
            draft=decision.draft,
            confidence=decision.confidence,
            flags=(*cleaned.changes, *result.flags, *_draft_flags(decision.draft)),
            explored=isinstance(decision, Explore),
        )
        match decision:
            case Keep():
                self._answer(task, asked, Origin.DEVICE)
            case Withhold():
                self.count("gate_over_budget")
                self._answer(task, asked.flagged(_OVERSPENT), Origin.DEGRADED)
            case Escalate() | Explore():
                return self._escalate(task, asked, result.masked)
        return None

    def finish(self, ticket: UUID, sealed: bytes) -> None:
        """Deliver the answer to an earlier question, or wait longer for it.

        Raises:
            WireError: the reply is not one that we can open and read.
            UnknownTicketError: a second copy, a late one, or nothing we asked.
        """
        if (ended := self.read(ticket, sealed)) and not self.end([ended]):
            raise UnknownTicketError(str(ticket))

    def read(self, ticket: UUID, sealed: bytes) -> Ended | None:
        """What a reply ends its question with; None if that waits longer. Nothing is stored yet.

        Raises:
            WireError: the reply is not one that we can open and read.
            UnknownTicketError: a second copy, a late one, or nothing we asked.
            StoreError: the stored row was altered.
        """
        memo, reply = self.post.open(ticket, sealed)
        match reply:
            case Answer(text, model, confidence, truncated):
                draft = Draft(text, confidence, model, elapsed_ms=0.0, truncated=truncated)
                flags = (*memo.asked.flags, *_draft_flags(draft))
                asked = replace(memo.asked, draft=draft, confidence=confidence, flags=flags)
                return Ended(self._delivery(asked, Origin.CLOUD), memo.asked, text)
            case Busy(retry_after_s):
                self.count("replies_busy")
                self.post.outbox.postpone(ticket, self.now_s() + retry_after_s)
            case WrongDate(cloud_s):
                self.count("replies_date")
                if not self.post.redate(memo, cloud_s):
                    return self._degraded(memo.asked, "the worker refuses this device's clock")
            case Stale(cloud_s):
                self.count("rekeyed" if self.post.rekey(memo, cloud_s) else "keyless")
            case Refused(reason):
                return self._degraded(memo.asked, f"the worker refused: {reason}")
        return None

    def end(self, ended: Sequence[Ended]) -> list[Ended]:
        """Store these answers, all at once, then deliver them; return those that were the first.

        Raises:
            OutboxFullError: the disk takes no more; nothing is delivered.
        """
        firsts = {each.delivery.ticket: each for each in reversed(ended)}
        stored = self.post.end(each.delivery for each in firsts.values())
        first = [each for ticket, each in firsts.items() if ticket in stored]
        settle([each.delivery for each in first], self.tasks, self.post)
        for each in first:
            self._compare(each)
        return first

    def expire(self, reason: str) -> int:
        """Deliver the draft of each question that has waited too long; return how many."""
        overdue = self.post.outbox.overdue(self.now_s())
        if not overdue:
            return 0
        memos = self._readable(overdue, self.post.memo)
        ended = [self._degraded(memo.asked, reason) for memo in memos]
        try:
            self.end(ended)
        except OutboxFullError as error:  # nobody waits for a disk; a crash may repeat these
            _log.warning("answered, not stored: %s", error)
            self.count("outbox_full")
            settle([each.delivery for each in ended], self.tasks, self.post)
        return len(overdue)

    def redeliver(self) -> None:
        """Try again to deliver the answers that no output took."""
        ended = self.post.outbox.ended(self.now_s())
        settle(self._readable(ended, self.post.ending), self.tasks, self.post)

    def rest(self) -> None:
        """Have idle models give their memory back, and end idle conversations."""
        self.masker.conversations.expire()
        for task in self.tasks.values():
            task.model.rest()

    def _escalate(self, task: Task, asked: Asked, masked: Masked) -> Parcel | None:
        try:
            question = dump_question(Question(task.domain, masked.payload, task.priority))
            deadline_s = asked.started_s + task.patience_s
            numbers, rank = self.referee.numbers(task), task.priority.rank
            parcel = self.post.put(asked, question, deadline_s, numbers, rank)
        except (OutboxFullError, KeyFileError, WireError) as error:
            _log.warning("%s: answered on the device: %s", asked.ticket, error)
            if isinstance(error, KeyFileError):
                self.count("keys_missing")
            flag = f"not checked: {error}" if asked.explored else f"not asked: {error}"
            self._answer(task, asked.flagged(flag), asked.alone)
            return None
        if parcel is None:
            return None
        self.referee.asked(task)
        if asked.explored:
            self.count("gate_explored")
        if task.provisional:
            early = self._delivery(asked, Origin.DEVICE)
            hand_over(replace(early, final=False), self.tasks, keep=_forget)
        return parcel

    def _answer(self, task: Task, asked: Asked, origin: Origin) -> None:
        hand_over(self._delivery(asked, origin), self.tasks, keep=self.post.keep)
        self.referee.kept(task)

    def _compare(self, ended: Ended) -> None:
        """Learn from an answer that was asked for although the draft was good enough."""
        asked, task = ended.before, self.tasks.get(ended.before.task)
        if asked.explored and task is not None and ended.delivery.origin is Origin.CLOUD:
            agrees = ended.answer == asked.draft.answer
            note = self.referee.agreed if agrees else self.referee.differed
            note(task.name, task.gate.max_error)

    def _readable(self, tickets: list[UUID], read: Callable[[UUID], _Stored]) -> list[_Stored]:
        """What is stored for tickets, without the rows that were altered on the disk."""
        found = []
        for ticket in tickets:
            try:
                found.append(read(ticket))
            except StoreError as error:  # let go of it: it must not hold up those behind it
                _log.error("%s: its question is lost: %s", ticket, error)
                self.count("rows_lost")
                self.post.outbox.settle([ticket])
        return found

    def _degraded(self, asked: Asked, reason: str) -> Ended:
        flag = f"not checked: {reason}" if asked.explored else reason
        return Ended(self._delivery(asked.flagged(flag), asked.alone), before=asked)

    def _delivery(self, asked: Asked, origin: Origin) -> Delivery:
        restored = self.masker.restore(asked.draft.answer, asked.vault)
        return Delivery(
            ticket=asked.ticket,
            task=asked.task,
            source=asked.source,
            answer=restored.text,
            origin=origin,
            confidence=asked.confidence,
            model=asked.draft.model,
            elapsed_ms=max(0.0, self.now_s() - asked.started_s) * 1e3,
            flags=(*asked.flags, *restored.flags),
        )


def _draft_flags(draft: Draft) -> tuple[str, ...]:
    flags = () if draft is not NO_DRAFT else ("the local model gave no answer",)
    return (*flags, _CUT) if draft.truncated else flags


def _forget(_provisional: Delivery) -> None:
    """A provisional answer that no output took: the final one follows."""
