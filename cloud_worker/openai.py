"""A completer that asks an OpenAI-compatible server: vLLM, SGLang, Ray Serve, llama-server, Ollama.

Question --prompt--> POST chat/completions --> Answer, with an uncalibrated score as confidence
"""

import logging
import time
from dataclasses import dataclass
from typing import Self

from broker.package.wording import followed
from broker.wire.messages import Answer, Question
from cloud_worker.completions import Prompt, completion, models, refusal, request
from cloud_worker.errors import SaturatedError, UnusableReplyError
from cloud_worker.models import CountTokens, Engine, Kind, uncounted
from cloud_worker.server import ModelServer, ServerAddress
from cloud_worker.watch import AGAIN_S, Watch

_LOOK_S = 5.0
_OK = 200

KIND = Kind("chat", "openai")  # of the protocol, whoever speaks it

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a server is used for."""

    domains: tuple[str, ...]
    prompt: Prompt
    labels: tuple[str, ...] = ()  # what may be answered; none: anything
    timeout_s: float = 30.0  # for one answer, tries and pauses included
    look_s: float = 10.0  # between two looks at a server that is idle


class OpenAiCompleter:
    """Answers the questions of some domains. May be asked from several threads at once.

    Args:
        address: The server.
        use: What for.
        count_tokens: Told of what an answer took, where the server tells.
    """

    def __init__(
        self, address: ServerAddress, use: Use, *, count_tokens: CountTokens = uncounted
    ) -> None:
        self._use, self._concurrency = use, address.connections
        self._count_tokens = count_tokens
        self._server = ModelServer(address)
        self._watch = Watch(
            model=use.prompt.model,
            place=address.base_url,
            look=self._models,
            calm_s=use.look_s,
        )
        self._told = ""

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._watch.close()

    def complete(self, question: Question, deadline_s: float) -> Answer:
        """Ask the server; `deadline_s` is monotonic time.

        Raises:
            UnfitQuestionError: it can never answer this.
            SaturatedError: it takes no question now.
        """
        body = request(self._use.prompt, question.payload)
        if self._watch.away():
            raise SaturatedError("the model server is away", retry_after_s=AGAIN_S)
        until_s = min(deadline_s, time.monotonic() + self._use.timeout_s)
        try:
            return self._answer(question, body, until_s)
        except UnusableReplyError as error:
            self._tell(str(error))
            raise

    def completers(self) -> dict[str, Engine]:
        """This server for each of its domains."""
        engine = Engine(
            self._use.prompt.model,
            self.complete,
            concurrency=self._concurrency,
            ready=lambda: not self._watch.away(),
            kind=KIND,
        )
        return dict.fromkeys(self._use.domains, engine)

    def _answer(self, question: Question, body: bytes, until_s: float) -> Answer:
        with self._watch.at_work():
            said = self._server.ask("chat/completions", body, until_s, self._watch.doubt)
        if said.status != _OK:
            raise refusal(said.status, said.body)
        found = completion(said.body, self._use.prompt)
        if found.tokens is not None:
            self._count_tokens(KIND, self._use.prompt.model, *found.tokens)
        text = found.text
        if self._use.labels:
            if text not in self._use.labels:
                raise UnusableReplyError("the model's answer is none of the labels")
            text = followed(text, question.payload)
        return Answer(text, self._use.prompt.model, found.score, found.cut)

    def _models(self) -> tuple[str, ...]:
        said = self._server.look("models", within_s=_LOOK_S)
        if said.status != _OK:
            raise refusal(said.status, said.body)
        return models(said.body)

    def _tell(self, why: str) -> None:
        if why != self._told:  # the rest is counted
            _log.warning("%s: %s", self._use.prompt.model, why)
            self._told = why
