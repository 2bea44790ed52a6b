"""How much a worker takes on."""

from dataclasses import dataclass

from cloud_worker.models import Completer, Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker takes on."""

    queue: int = 64  # accepted questions that wait for an engine, for each engine
    skew_s: float = 120.0  # how far a device's clock may be ahead of ours
    longest_wait_s: float = 86_400.0  # from a question's making to its end, at most
    retry_after_s: float = 2.0  # what a full worker tells, give or take a half
    clock_proof_s: float = 600.0  # without a jump of our clock, before a key is deleted by it
    drain_s: float = 10.0  # for what is accepted, when the worker is told to stop

    def accepted(self, completer: Completer) -> int:
        """Questions accepted for a model and not yet answered, at most."""
        return self.queue + completer.concurrency if isinstance(completer, Engine) else self.queue
