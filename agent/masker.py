"""Masks within conversations and restores, and keeps the books of both.

Clean --what the conversation gave--> MaskResult --on disk--> goes on
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from agent.core.counted import counted
from agent.core.mask import MaskResult, mask
from agent.core.restore import Restored, restore_answer
from agent.stages import Clean, FindSpans, Vault
from agent.store.conversations import Conversations
from agent.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Masker:
    """Masking with its memory. Used by the pipeline only."""

    find: FindSpans  # personal data, in a text
    conversations: Conversations
    count: Callable[[str], None]  # what nobody else would notice

    def mask(self, task: Task, clean: Clean, conversation: str, ticket: UUID) -> MaskResult:
        """Mask; the names that it gave are on disk when this returns.

        Raises:
            FinderError: personal data could not be found reliably, so nothing may go on.
            OutboxFullError: the conversation cannot be kept, so nothing may leave.
        """
        with self.conversations.turn(task.name, conversation, ticket) as turn:
            result = mask(clean, task.rules, self.find, turn.past)
            turn.keep(result.past)
        for name in counted(result):
            self.count(name)
        return result

    def restore(self, answer: str, vault: Vault) -> Restored:
        """Put the originals back."""
        restored = restore_answer(answer, vault)
        if restored.unknown:
            self.count("unknown_placeholders")
        return restored
