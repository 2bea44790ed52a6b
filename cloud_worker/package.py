"""A model package as a completer: every domain of the package, answered in this process.

Question --engine--> answer, score --calibration--> Answer
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from broker.package.errors import InputMismatchError, PackageError, TooLateError
from broker.package.heads import Points
from broker.package.load import load_package
from broker.package.model import Found, PackageModel
from broker.package.wording import worded
from broker.wire.messages import Answer, Question
from cloud_worker.errors import ModelLoadError, SaturatedError, UnfitQuestionError
from cloud_worker.models import CountTokens, Engine, Kind, uncounted


class PackageCompleter:
    """Answers from one package, whichever engine it needs. May be asked from several threads.

    Args:
        folder: The package.
        threads: For one question.
        copies: Questions answered at once; each takes the model's memory once more.
        count_tokens: Told of what an answer took, of a language model.

    Raises:
        ModelLoadError: the package cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 1,
        copies: int = 1,
        count_tokens: CountTokens = uncounted,
    ) -> None:
        self._free: SimpleQueue[PackageModel] = SimpleQueue()
        try:
            self._copies = tuple(load_package(folder, threads=threads) for _ in range(copies))
        except PackageError as error:
            raise ModelLoadError(str(error)) from error
        for copy in self._copies:
            self._free.put(copy)
        manifest = self._copies[0].manifest
        self.model = f"{manifest.name} {manifest.version}"
        self.engine = manifest.engine
        operation = "text_completion" if self.engine == "llama.cpp" else "inference"
        self._kind, self._count_tokens = Kind(operation, self.engine), count_tokens
        self.domains = tuple(head.domain for head in manifest.heads)

    def complete(self, question: Question, deadline_s: float) -> Answer:
        """Answer, with the calibrated chance that it is right; `deadline_s` is monotonic time.

        Raises:
            UnfitQuestionError: the payload is not what the model was made for.
            SaturatedError: the deadline passed first.
        """
        with self._copy() as model:
            found = _found(model, question, deadline_s)
            head = model.manifest.head(question.domain)
        if found.tokens is not None:
            self._count_tokens(self._kind, self.model, *found.tokens)
        text = worded(found.answer, head, question.payload)
        return Answer(text, self.model, _chance(found.score, head.knots), found.truncated)

    def completers(self) -> dict[str, Engine]:
        """This model for each of its domains."""
        copies = len(self._copies)
        engine = Engine(self.model, self.complete, concurrency=copies, kind=self._kind)
        return dict.fromkeys(self.domains, engine)

    def close(self) -> None:
        """Give the memory back. A copy that is still at work keeps its own."""
        while not self._free.empty():
            self._free.get().close()

    @contextmanager
    def _copy(self) -> Iterator[PackageModel]:
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)


def _found(model: PackageModel, question: Question, deadline_s: float) -> Found:
    try:
        return model.answer(question.payload, question.domain, deadline_s=deadline_s)
    except InputMismatchError as error:
        raise UnfitQuestionError(str(error)) from error
    except TooLateError as error:
        raise SaturatedError("the model needs more time than the device gives") from error


def _chance(score: float, knots: Points) -> float:
    if not knots:
        return 0.0  # never measured: never trusted
    scores, chances = zip(*knots, strict=True)
    return float(np.interp(score, scores, chances))
