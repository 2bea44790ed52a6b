"""A local model whose answers are counted: what a trial is judged by."""

from dataclasses import dataclass, field

from agent.core.gate import Calibration
from agent.models.engine import Engine
from agent.models.model import ModelError
from agent.stages import Draft, Masked
from agent.update.health import Tally
from broker.package.golden import Case


@dataclass(frozen=True, slots=True)
class Serving:
    """A package that answers, with its books: all engines of it share them."""

    package: str
    digest: str  # of its plan; empty: the factory's
    case: Case | None = field(repr=False)  # a question that it must be able to answer
    tally: Tally


@dataclass(frozen=True, slots=True)
class Watched:
    """An engine of a package that answers. Use from one thread."""

    engine: Engine
    serving: Serving

    def draft(self, masked: Masked, domain: str) -> Draft:
        """See LocalModel."""
        before, tally = self.engine.crashes, self.serving.tally
        try:
            draft = self.engine.draft(masked, domain)
        except ModelError:
            self._failed()
            raise
        finally:
            tally.crashes += self.engine.crashes - before
        tally.answers += 1
        tally.times_ms.append(draft.elapsed_ms)
        return draft

    def calibration(self, domain: str) -> Calibration:
        """See LocalModel."""
        before = self.engine.crashes
        try:
            return self.engine.calibration(domain)
        except ModelError:
            self._failed()
            raise
        finally:
            self.serving.tally.crashes += self.engine.crashes - before

    def rest(self) -> None:
        """See LocalModel."""
        self.engine.rest()

    def _failed(self) -> None:
        self.serving.tally.errors += 1
        self.serving.tally.broken = self.engine.refusal
