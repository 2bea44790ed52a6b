"""Decides what becomes of a question, and keeps the books: budgets, and how checked answers fared.

masked --local model--> Draft --core.gate--> Keep | Escalate | Explore | Withhold
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from agent.core import budget, drift, gate
from agent.core.drift import Checks
from agent.core.gate import Calibration
from agent.models.model import ModelError
from agent.stages import Decision, Draft, Escalate, Masked
from agent.store.errors import OutboxFullError
from agent.store.outbox import NO_NUMBERS
from agent.store.spending import Spending
from agent.task import Task

NO_DRAFT = Draft(answer="", score=0.0, model="none", elapsed_ms=0.0, out_of_scope=True)

_LOT_BYTES = 7  # of a hash; more than a float can tell apart

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referee:
    """The gate with its memory. Used by the pipeline only."""

    spending: Spending
    count: Callable[[str], None]  # what nobody else would notice

    def decide(self, task: Task, masked: Masked, ticket: UUID) -> Decision:
        """Ask the local model, and decide on its draft."""
        share = task.gate.max_share
        left = None if share is None else self.spending.left(task.name, share)
        try:
            calibration = task.model.calibration(task.domain)
            draft = task.model.draft(masked, task.domain)
        except ModelError as error:  # no answer is the least sure answer
            _log.warning("task %s: no local answer: %s", task.name, error)
            return gate.route(NO_DRAFT, Calibration(()), task.gate, left, lot=1.0)
        decision = gate.route(draft, calibration, task.gate, left, _lot(ticket))
        if isinstance(decision, Escalate) and decision.reason == gate.NO_BOUND:
            self.count("gate_infeasible")
        return decision

    def numbers(self, task: Task) -> Mapping[str, float]:
        """What the outbox must store together with a question of this task."""
        share = task.gate.max_share
        if share is None:
            return NO_NUMBERS
        left = self.spending.left(task.name, share)
        return self.spending.numbers(task.name, budget.spend(left, share))

    def asked(self, task: Task) -> None:
        """A question of this task is in the outbox."""
        share = task.gate.max_share
        if share is not None:
            left = self.spending.left(task.name, share)
            self.spending.asked(task.name, budget.spend(left, share))

    def kept(self, task: Task) -> None:
        """A question of this task was answered without the cloud."""
        share = task.gate.max_share
        if share is None:
            return
        left = self.spending.left(task.name, share)
        try:
            self.spending.kept(task.name, budget.save(left, share))
        except OutboxFullError:  # a full disk must not cost the answer that was just delivered
            self.count("budget_unsaved")

    def agreed(self, task: str, max_error: float | None) -> None:
        """The cloud has given a kept answer too."""
        self.count("gate_agreed")
        self._check(task, max_error, drift.agreed)

    def differed(self, task: str, max_error: float | None) -> None:
        """The cloud has answered otherwise than a kept answer."""
        self.count("gate_differed")
        self._check(task, max_error, drift.differed)

    def _check(self, task: str, max_error: float | None, note: Callable[[Checks], Checks]) -> None:
        before = self.spending.checks(task)
        now = note(before)
        if max_error is not None:
            now = drift.judged(now, max_error)
        if now.alarmed and not before.alarmed:
            self.count("gate_drift")
            words = "task %s: the cloud differs from %d of the last %d kept answers that it checked"
            advice = ", more than max_error explains: calibrate the model on newer data"
            _log.warning(words + advice, task, now.differed, now.count)
        self.spending.checked(task, now)


def _lot(ticket: UUID) -> float:
    """A number in [0, 1), the same whenever this question is asked again."""
    digest = hashlib.blake2b(ticket.bytes, digest_size=_LOT_BYTES).digest()
    return int.from_bytes(digest, "big") / (1 << 8 * _LOT_BYTES)
