"""The straight line. Three doors in (`ask`, `finish`, `expire`), one out (`deliver`).

    ask:     Raw -> Clean -> (Masked, Vault) -> Draft -> Keep | Withhold ----> restore -> deliver
                                                      -> Escalate | Explore -> outbox ~~> worker
    finish:                     sealed reply -> memo -> unseal -> Answer ----> restore -> deliver
    expire:                       deadline or refusal -> memo -> draft ------> restore -> deliver

No step calls an earlier one, and no step knows who calls it. An answer to an escalated question is
stored before it is delivered, so it is delivered at least once and never in two versions.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from agent.core.clean import clean
from agent.core.find import find
from agent.core.mask import MaskResult, Restored, mask, restore
from agent.errors import OutputUnavailableError
from agent.post import Post
from agent.referee import NO_DRAFT, Referee
from agent.stages import (
    Asked,
    Delivery,
    Draft,
    Escalate,
    Explore,
    Keep,
    Masked,
    Origin,
    Raw,
    Withhold,
)
from agent.store.errors import OutboxFullError, StoreError
from agent.store.outbox import Parcel
from agent.task import Task
from broker.wire.errors import KeyFileError, WireError
from broker.wire.messages import Answer, Busy, Question, Refused, WrongDate, dump_question

_CUT = "the model did not read the whole input, or was cut short"
_OVERSPENT = "not asked: the cloud budget is spent"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The device's whole job, given its parts. Built once, at the front door."""

    post: Post
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
        """
        if self.post.outbox.knows(ticket):  # asked before a crash: it has its one answer, or will
            return None
        started_s = self.now_s()
        task = self.tasks[raw.task]
        cleaned = clean(raw, task.expect)
        result = mask(cleaned, task.rules, find)
        decision = self.referee.decide(task, result.masked, ticket)
        asked = Asked(
            ticket=ticket,
            task=task.name,
            source=raw.source,
            started_s=started_s,
            vault=result.vault,
            draft=decision.draft,
            confidence=decision.confidence,
            flags=(*cleaned.changes, *_mask_flags(result), *_draft_flags(decision.draft)),
            explored=isinstance(decision, Explore),
        )
        match decision:
            case Keep():
                self._answer(task, asked, Origin.DEVICE)
            case Withhold():
                self.count("gate_over_budget")
                self._answer(task, _flagged(asked, _OVERSPENT), Origin.DEGRADED)
            case Escalate() | Explore():
                return self._escalate(task, asked, result.masked)
        return None

    def finish(self, ticket: UUID, sealed: bytes) -> None:
        """Deliver the answer to an earlier question, or wait longer for it.

        Raises:
            WireError: the reply is not one that we can open and read.
            UnknownTicketError: a second copy, a late one, or nothing we asked.
        """
        memo, reply = self.post.open(ticket, sealed)
        match reply:
            case Answer(text, model, confidence, truncated):
                draft = Draft(text, confidence, model, elapsed_ms=0.0, truncated=truncated)
                flags = (*memo.asked.flags, *_draft_flags(draft))
                asked = replace(memo.asked, draft=draft, confidence=confidence, flags=flags)
                self._end(asked, Origin.CLOUD)
                self._compare(memo.asked, text)
            case Busy(retry_after_s):
                self.post.outbox.postpone(ticket, self.now_s() + retry_after_s)
            case WrongDate(cloud_s):
                if not self.post.redate(memo, cloud_s):
                    self._degrade(memo.asked, "the worker refuses this device's clock")
            case Refused(reason):
                self._degrade(memo.asked, f"the worker refused: {reason}")

    def expire(self, reason: str) -> int:
        """Deliver the draft of each question that has waited too long; return how many."""
        overdue = self.post.outbox.overdue(self.now_s())
        for ticket in overdue:
            try:
                asked = self.post.memo(ticket).asked
            except StoreError as error:
                self._give_up(ticket, error)
            else:
                self._degrade(asked, reason)
        return len(overdue)

    def redeliver(self) -> None:
        """Try again to deliver the answers that no output took."""
        for ticket in self.post.outbox.ended(self.now_s()):
            try:
                delivery = self.post.ending(ticket)
            except StoreError as error:
                self._give_up(ticket, error)
            else:
                self._settle(delivery)

    def rest(self) -> None:
        """Have models that were not asked for a while give their memory back."""
        for task in self.tasks.values():
            task.model.rest()

    def _escalate(self, task: Task, asked: Asked, masked: Masked) -> Parcel | None:
        try:
            question = dump_question(Question(task.domain, masked.payload))
            deadline_s = asked.started_s + task.patience_s
            parcel = self.post.put(asked, question, deadline_s, self.referee.numbers(task))
        except (OutboxFullError, KeyFileError, WireError) as error:
            _log.warning("%s: answered on the device: %s", asked.ticket, error)
            flag = f"not checked: {error}" if asked.explored else f"not asked: {error}"
            self._answer(task, _flagged(asked, flag), _alone(asked))
            return None
        if parcel is None:
            return None
        self.referee.asked(task)
        if asked.explored:
            self.count("gate_explored")
        if task.provisional:
            early = self._delivery(asked, Origin.DEVICE)
            self._hand_over(replace(early, final=False), keep=_forget)
        return parcel

    def _answer(self, task: Task, asked: Asked, origin: Origin) -> None:
        self._hand_over(self._delivery(asked, origin), keep=self.post.keep)
        self.referee.kept(task)

    def _compare(self, asked: Asked, answer: str) -> None:
        """Learn from an answer that was asked for although the draft was good enough."""
        task = self.tasks.get(asked.task)
        if asked.explored and task is not None:
            note = self.referee.agreed if answer == asked.draft.answer else self.referee.differed
            note(task.name, task.gate.max_error)

    def _give_up(self, ticket: UUID, error: StoreError) -> None:
        """Let go of a row that was altered on the disk: it must not hold up those behind it."""
        _log.error("%s: its question is lost: %s", ticket, error)
        self.count("rows_lost")
        self.post.outbox.settle(ticket)

    def _degrade(self, asked: Asked, reason: str) -> None:
        flag = f"not checked: {reason}" if asked.explored else reason
        self._end(_flagged(asked, flag), _alone(asked))

    def _end(self, asked: Asked, origin: Origin) -> None:
        delivery = self._delivery(asked, origin)
        self.post.end(delivery)
        self._settle(delivery)

    def _settle(self, delivery: Delivery) -> None:
        try:
            self._deliver(delivery)
        except OutputUnavailableError as error:
            _log.warning("%s: answered, delivery later: %s", delivery.ticket, error)
            self.post.postpone_delivery(delivery.ticket)
        else:
            self.post.outbox.settle(delivery.ticket)

    def _hand_over(self, delivery: Delivery, keep: Callable[[Delivery], None]) -> None:
        try:
            self._deliver(delivery)
        except OutputUnavailableError as error:
            _log.warning("%s: answered, delivery later: %s", delivery.ticket, error)
            keep(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        task = self.tasks.get(delivery.task)
        if task is None:  # the settings were changed while it waited
            raise OutputUnavailableError(f"there is no task {delivery.task} any more")
        task.deliver(delivery)

    def _delivery(self, asked: Asked, origin: Origin) -> Delivery:
        restored = restore(asked.draft.answer, asked.vault)
        return Delivery(
            ticket=asked.ticket,
            task=asked.task,
            source=asked.source,
            answer=restored.text,
            origin=origin,
            confidence=asked.confidence,
            model=asked.draft.model,
            elapsed_ms=max(0.0, self.now_s() - asked.started_s) * 1e3,
            flags=(*asked.flags, *_restore_flags(restored)),
        )


def _flagged(asked: Asked, flag: str) -> Asked:
    return replace(asked, flags=(*asked.flags, flag))


def _alone(asked: Asked) -> Origin:
    """Whose answer it is if the cloud gives none."""
    return Origin.DEVICE if asked.explored else Origin.DEGRADED


def _mask_flags(result: MaskResult) -> tuple[str, ...]:
    return (f"dropped: {', '.join(result.dropped)}",) if result.dropped else ()


def _restore_flags(restored: Restored) -> tuple[str, ...]:
    return (f"unknown placeholders: {restored.unknown}",) if restored.unknown else ()


def _draft_flags(draft: Draft) -> tuple[str, ...]:
    flags = () if draft is not NO_DRAFT else ("the local model gave no answer",)
    return (*flags, _CUT) if draft.truncated else flags


def _forget(_provisional: Delivery) -> None:
    """A provisional answer that no output took: the final one follows."""
