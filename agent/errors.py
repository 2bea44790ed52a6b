"""What can go wrong on the device, by what the caller does about it.

* core.errors.InputError          this input is refused: moved to `rejected/` with the reason
* models.model.ModelError         no local answer: the question is escalated
* store.errors.OutboxFullError    it cannot be escalated: answered locally, flagged
* store.errors.UnknownTicketError a repeat: counted and dropped
* OutputUnavailableError          the answer waits in the outbox and is delivered later
"""


class OutputUnavailableError(Exception):
    """An output does not take answers now. Retrying later can help."""
