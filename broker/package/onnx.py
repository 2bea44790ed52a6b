"""Classification and regression with onnxruntime, one question at a time.

    payload -> feeds.py -> session.py -> readout.py -> Found

Every file is checked against its hash before the engine sees it.
"""

import time
from dataclasses import replace

from broker.package import scope
from broker.package.errors import EngineError, InputMismatchError, ManifestError, TooLateError
from broker.package.feeds import Prepared, preparation
from broker.package.files import verify_files
from broker.package.heads import Head, LabelHead, NumberHead
from broker.package.manifest import Manifest
from broker.package.model import Found
from broker.package.profile import Profile
from broker.package.readout import Chances, chances, number, output_names
from broker.package.session import Output, Session
from broker.wire.payload import Payload, kind_of


class OnnxModel:
    """One model package, loaded. Use from one thread."""

    def __init__(self, manifest: Manifest, *, threads: int = 1, profile: Profile = "fast") -> None:
        """Check every file of a package and load it; `threads` is for one question.

        Raises:
            PackageError: a file is wrong, damaged, or not for this engine.
        """
        self.manifest, folder = manifest, manifest.folder
        verify_files(folder, manifest.files)
        path = folder / manifest.file
        self._session = Session(path, threads=threads, profile=profile)
        try:
            self._prepare = preparation(manifest.input, folder, self._session.inputs)
            outputs = {
                head.domain: output_names(head, self._session.outputs) for head in manifest.heads
            }
        except ManifestError as error:
            raise ManifestError(f"{path}: {error}") from error
        self._outputs = outputs

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """Answer with the likeliest label, or the number; a run is too short to be stopped.

        Raises:
            InputMismatchError: the payload is not what the model takes.
            TooLateError: the deadline has passed already.
            EngineError: the model cannot run it.
        """
        if deadline_s is not None and time.monotonic() >= deadline_s:
            raise TooLateError(f"{self.manifest.name} was asked after the deadline")
        head = self.manifest.head(domain)
        prepared = self._prepared(payload)
        outputs = self._run(prepared, head)
        if isinstance(head, NumberHead):
            answer, score = number(outputs, head)
            return Found(answer, score, prepared.truncated)
        return _label(chances(outputs[0], _labelled(head)), head, truncated=prepared.truncated)

    def probabilities(self, payload: Payload, domain: str) -> Chances:
        """Give the probability (L,) of each label, in the order of `manifest.head(domain)`.

        Raises:
            InputMismatchError: the payload is not what the model takes.
            EngineError: the model cannot run it, or answers with a number.
        """
        head = _labelled(self.manifest.head(domain))
        return chances(self._run(self._prepared(payload), head)[0], head)

    def close(self) -> None:
        """Give the memory back."""
        del self._session

    def _prepared(self, payload: Payload) -> Prepared:
        if kind_of(payload) != self.manifest.payload:
            raise InputMismatchError(
                f"{self.manifest.name} takes a {self.manifest.payload}, not a {kind_of(payload)}"
            )
        return self._prepare(payload)

    def _run(self, prepared: Prepared, head: Head) -> list[Output]:
        return self._session.run(self._outputs[head.domain], prepared.feeds)


def _label(found: Chances, head: Head, *, truncated: bool) -> Found:
    best = int(found.argmax())
    answer = Found(head.labels[best], float(found[best]), truncated)
    if head.out_of_scope is None:
        return answer
    apart = scope.outside(found, head.labels.index(head.out_of_scope))
    is_apart = answer.answer == head.out_of_scope or apart > head.scope_threshold
    return replace(answer, outside=apart, out_of_scope=is_apart)


def _labelled(head: Head) -> LabelHead:
    if not isinstance(head, LabelHead):
        raise EngineError(f"{head.domain} is answered without labels")
    return head
