"""What can go wrong in a worker, split by what it does about it.

* WorkerError
  - UnfitQuestionError     this model can never answer this: a sealed refusal
  - ModelLoadError         a model package cannot be used: the worker does not start
  - ClaimStoreError        the disk takes no more, or the file is no claim store: busy, or no start
"""


class WorkerError(Exception):
    """A worker cannot do what it was asked."""


class UnfitQuestionError(WorkerError):
    """This model can never answer this question. The message goes to the device, sealed."""


class ModelLoadError(WorkerError):
    """A model package cannot be used."""


class ClaimStoreError(WorkerError):
    """The claims cannot be read or written."""
