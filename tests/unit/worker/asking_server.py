"""A completer on a scripted model server, and a question to it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from broker.wire.messages import Answer, Question
from broker.wire.payload import Text
from cloud_worker.completions import Prompt
from cloud_worker.openai import OpenAiCompleter, Use
from cloud_worker.server import ServerAddress
from tests.model_server import MODEL, Scripted

WORDS = "turn on the lamp of <NAME_1>"
ASKED = Question("home", Text(WORDS))
LONG_S = 20.0
PROMPT = Prompt(model=MODEL, system="Be short.", prompt="Q: {text} {x}\nA:", max_tokens=7)


@contextmanager
def completer(  # noqa: PLR0913 - what differs, by name
    server: Scripted,
    prompt: Prompt = PROMPT,
    *,
    labels: tuple[str, ...] = (),
    timeout_s: float = LONG_S,
    api_key: str = "",
    look_s: float = 10.0,
) -> Iterator[OpenAiCompleter]:
    address = ServerAddress(base_url=server.base_url, api_key=api_key, connections=4)
    use = Use(
        domains=("home", "away"),
        prompt=prompt,
        labels=labels,
        timeout_s=timeout_s,
        look_s=look_s,
    )
    with OpenAiCompleter(address, use) as made:
        yield made


def asked(made: OpenAiCompleter, question: Question = ASKED, *, within_s: float = LONG_S) -> Answer:
    return made.complete(question, time.monotonic() + within_s)


def wait_until(happens: Callable[[], object]) -> None:
    give_up_s = time.monotonic() + 60.0
    while not happens():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)
