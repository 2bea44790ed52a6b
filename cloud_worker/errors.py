"""What can go wrong in a worker, split by what it does about it.

* WorkerError
  - UnfitQuestionError     this model can never answer this: a sealed refusal
    - UnusableReplyError   a model server's reply is no answer: the same, and counted apart
  - SaturatedError         the model takes no more now, or is away: busy, and nothing is stored
  - ModelLoadError         a model package cannot be used: the worker does not start
  - ClaimStoreError        the disk takes no more, or the file is no claim store: busy, or no start
"""


class WorkerError(Exception):
    """A worker cannot do what it was asked."""


class UnfitQuestionError(WorkerError):
    """This model can never answer this question. The message goes to the device, sealed."""


class UnusableReplyError(UnfitQuestionError):
    """A model server said something that is no answer. The message holds nothing of what it said.

    It is logged too, for the operator of the worker can mend it.
    """


class SaturatedError(WorkerError):
    """The model takes no more questions now; ask again later."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s  # at least; as the model server wishes


class ModelLoadError(WorkerError):
    """A model package cannot be used."""


class ClaimStoreError(WorkerError):
    """The claims cannot be read or written."""
