"""A model package as a completer: every domain of the package, answered by onnxruntime.

Question --classify--> label, score --calibration--> Answer
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from broker.package.errors import InputMismatchError, PackageError
from broker.package.load import load_package
from broker.package.model import PackageModel
from broker.package.wording import worded
from broker.wire.messages import Answer, Question
from cloud_worker.errors import ModelLoadError, UnfitQuestionError
from cloud_worker.models import Engine


class OnnxCompleter:
    """Answers from one package. May be asked from several threads at once.

    Args:
        folder: The package.
        threads: For one question.
        copies: Questions answered at once; each takes the model's memory once more.

    Raises:
        ModelLoadError: the package cannot be used.
    """

    def __init__(self, folder: Path, *, threads: int = 1, copies: int = 1) -> None:
        self._free: SimpleQueue[PackageModel] = SimpleQueue()
        try:
            loaded = [load_package(folder, threads=threads) for _ in range(copies)]
        except PackageError as error:
            raise ModelLoadError(str(error)) from error
        for classifier in loaded:
            self._free.put(classifier)
        manifest = loaded[0].manifest
        self.model = f"{manifest.name} {manifest.version}"
        self.domains = tuple(head.domain for head in manifest.heads)

    def complete(self, question: Question) -> Answer:
        """Answer with the likeliest label, and the calibrated chance that it is right.

        Raises:
            UnfitQuestionError: the payload is not what the model was made for.
        """
        with self._classifier() as classifier:
            try:
                found = classifier.answer(question.payload, question.domain)
            except InputMismatchError as error:
                raise UnfitQuestionError(str(error)) from error
            head = classifier.manifest.head(question.domain)
        text = worded(found.answer, head, question.payload)
        return Answer(text, self.model, _chance(found.score, head.knots), found.truncated)

    def completers(self) -> dict[str, Engine]:
        """This model for each of its domains."""
        return {domain: Engine(self.model, self.complete) for domain in self.domains}

    @contextmanager
    def _classifier(self) -> Iterator[PackageModel]:
        classifier = self._free.get()
        try:
            yield classifier
        finally:
            self._free.put(classifier)


def _chance(score: float, knots: tuple[tuple[float, float], ...]) -> float:
    if not knots:
        return 0.0  # never measured: never trusted
    scores, chances = zip(*knots, strict=True)
    return float(np.interp(score, scores, chances))
