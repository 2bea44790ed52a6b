"""What the engine child costs: its answers beside those of the engine called directly.

    question --Engine--> child --answer-->     onnxruntime: milliseconds more
             `-- the same model, in this process, in the next moment
    prompt   --Engine--> child --tokens-->     llama.cpp: tokens per second, as a share
             `-- the same tokens in this process: decode, take the likeliest, nothing else

The direct loop has the head's grammar, if there is one, since without it the answer would be
another, and asks it about the likeliest token first, as llama.cpp's own server does; like it, it
goes on until the model has said the end. It has no score, deadline, prefix or stop strings.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from agent.core.clean import Expectation, clean
from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import MaskRules
from agent.models.engine import Engine
from agent.stages import Masked, Raw
from broker.package.gguf import Weights
from broker.package.grammar import Grammar
from broker.package.heads import TextHead
from broker.package.inputs import PromptInput
from broker.package.llama import LlamaModel
from broker.package.llama_context import Context
from broker.package.load import load_package
from broker.package.manifest import load_manifest
from broker.package.model import PackageModel
from broker.package.speech import rules_of
from broker.wire.payload import Payload, PayloadKind

QUESTIONS = (
    "turn on the lights in the kitchen",
    "wake me up at seven tomorrow morning",
    "remind me to call the dentist on friday",
    "what is the weather like in berlin this weekend",
    "play some jazz in the living room",
    "add milk and bread to my shopping list",
    "how do you say good night in french",
    "set the thermostat to twenty one degrees",
)
_TIMEOUT_S = 60.0

Action = Callable[[], object]
_Model = TypeVar("_Model", bound=PackageModel)


@dataclass(frozen=True, slots=True)
class Engines:
    """Medians over all questions of a run."""

    onnx_package: str
    onnx_direct_ms: float
    onnx_child_ms: float
    onnx_extra_ms: float  # median of the differences
    llama_package: str
    llama_tokens: int  # of all answers
    llama_tokens_per_s: float  # through the child
    llama_raw_tokens_per_s: float
    ratio: float  # median of the quotients
    rounds: int


def measure(onnx: Path, llama: Path, rounds: int, advance: Callable[[int], None]) -> Engines:
    """Ask every question `rounds` times, in turn by the child and directly.

    Raises:
        PackageError: a package cannot be used.
        ModelError: a child failed.
    """
    one, other = load_manifest(onnx), load_manifest(llama)
    direct_ms, child_ms = _classified(onnx, one.heads[0].domain, rounds, advance)
    tokens, child_s, raw_s = _spoken(llama, other.heads[0].domain, rounds, advance)
    return Engines(
        onnx_package=one.name,
        onnx_direct_ms=round(median(direct_ms), 4),
        onnx_child_ms=round(median(child_ms), 4),
        onnx_extra_ms=round(median(_less(child_ms, direct_ms)), 4),
        llama_package=other.name,
        llama_tokens=sum(tokens),
        llama_tokens_per_s=round(median(_per(tokens, child_s)), 1),
        llama_raw_tokens_per_s=round(median(_per(tokens, raw_s)), 1),
        ratio=round(median(_per(raw_s, child_s)), 4),
        rounds=rounds,
    )


def _classified(
    package: Path, domain: str, rounds: int, advance: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    with _both(load_package(package)) as (model, engine):
        direct = [partial(model.answer, each.payload, domain) for each in _questions()]
        child = [partial(engine.draft, each, domain) for each in _questions()]
        direct_s, child_s = _in_turn(direct, child, rounds, advance)
    return [each * 1e3 for each in direct_s], [each * 1e3 for each in child_s]


def _spoken(
    package: Path, domain: str, rounds: int, advance: Callable[[int], None]
) -> tuple[list[int], list[float], list[float]]:
    with _both(LlamaModel(load_manifest(package))) as (model, engine), _raw(model, domain) as speak:
        counts = [_tokens(model, each.payload, domain) for each in _questions()]
        asked = zip(_questions(), counts, strict=True)
        raw = [partial(speak, each.payload, count) for each, count in asked]
        child = [partial(engine.draft, each, domain) for each in _questions()]
        raw_s, child_s = _in_turn(raw, child, rounds, advance)
    return counts * rounds, child_s, raw_s


def _in_turn(
    ones: Sequence[Action], others: Sequence[Action], rounds: int, advance: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    """Time two lists of actions, whole list after whole list: each has its own warm caches."""
    first_s: list[float] = []
    second_s: list[float] = []
    for _ in range(rounds + 1):
        first_s += [_timed(action) for action in ones]
        second_s += [_timed(action) for action in others]
        advance(len(ones) + len(others))
    return first_s[len(ones) :], second_s[len(others) :]  # the first round warms up


def _tokens(model: LlamaModel, question: Payload, domain: str) -> int:
    before = model.spoken_tokens
    model.answer(question, domain)
    return model.spoken_tokens - before


@contextmanager
def _raw(model: LlamaModel, domain: str) -> Iterator[Callable[[Payload, int], bytes]]:
    """Answer a question with a number of tokens."""
    assert isinstance(model.manifest.input, PromptInput)  # noqa: S101 - a LlamaModel has it
    with ExitStack() as last:
        weights = Weights(model.manifest.folder / model.manifest.file)
        last.callback(weights.close)
        context = Context(weights, tokens=model.manifest.input.context, threads=1)
        last.callback(context.close)
        head = model.manifest.head(domain)
        assert isinstance(head, TextHead)  # noqa: S101 - a LlamaModel has no other
        rules = rules_of(model.manifest.folder, head)
        grammar = None if rules is None else Grammar(weights, *rules)
        if grammar is not None:
            last.callback(grammar.close)

        def speak(question: Payload, count: int) -> bytes:
            context.attach(None)  # forget the question before
            if grammar is not None:
                grammar.reset()
            logits, spoken = context.read(model.prompted(question, domain)), []
            for number in range(count):
                token = int(logits.argmax())
                token = token if grammar is None else grammar.best(logits, token)
                spoken.append(token)
                if number < count - 1:
                    if grammar is not None:
                        grammar.accept(token)
                    logits = context.follow_one(token)
            return b"".join(weights.piece(token) for token in spoken)

        yield speak


@contextmanager
def _both(model: _Model) -> Iterator[tuple[_Model, Engine]]:
    with ExitStack() as last:
        last.callback(model.close)
        engine = Engine(model.manifest.folder, timeout_s=_TIMEOUT_S)
        last.callback(engine.stop)
        yield model, engine


def _questions() -> list[Masked]:
    texts, wanted = [text.encode() for text in QUESTIONS], Expectation(PayloadKind.TEXT)
    cleaned = [clean(Raw("bench", "bench", text), wanted) for text in texts]
    return [mask(each, MaskRules(), find).masked for each in cleaned]


def steps(rounds: int) -> int:
    """How often `measure` says that it has advanced."""
    return 4 * (rounds + 1) * len(QUESTIONS)


def _timed(action: Action) -> float:
    started_s = time.perf_counter()
    action()
    return time.perf_counter() - started_s


def _less(many: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(many, others, strict=True)]


def _per(many: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(many, others, strict=True)]
