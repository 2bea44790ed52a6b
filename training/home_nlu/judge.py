"""Asks the quantized file through llama.cpp, greedily and by the grammar, and keeps the score.

    intent     share of right intents; `surest`: of the 80 % with the likeliest first token
    slot_f1    micro-averaged over (slot, exact value) pairs, as conlleval counts phrases
    frame      share of answers that are right as a whole
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import Llama, LlamaGrammar

from training.home_nlu.frames import Frame
from training.home_nlu.tokens import ASK, PROMPTS

_SURE = 0.8  # share
_MOST_TOKENS = 96  # of an answer
_CONTEXT = 256  # tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote for one frame's utterance."""

    text: str
    chance: float  # of the first token, before the grammar
    tokens: int

    @property
    def intent(self) -> str:
        """The intent that the answer names."""
        return str(json.loads(self.text)["intent"])

    @property
    def slots(self) -> Counter[tuple[str, str]]:
        """The (slot, value) pairs of the answer."""
        found: Counter[tuple[str, str]] = Counter()
        for slot, value in json.loads(self.text)["slots"].items():
            found.update((slot, each) for each in ([value] if isinstance(value, str) else value))
        return found


def opened(path: Path, *, threads: int = 1) -> Llama:
    """Load a file as the engine does: one sequence, no log-probabilities kept."""
    return Llama(str(path), n_ctx=_CONTEXT, n_batch=_CONTEXT, n_threads=threads, verbose=False)


def prompt(model: Llama, frame: Frame) -> list[int]:
    """Tokenize the prompt; special tokens are read in the template and never in the text."""
    before = model.tokenize(PROMPTS[frame.domain].encode(), add_bos=False, special=True)
    asked = model.tokenize(frame.text.encode(), add_bos=False, special=False)
    return [*before, *asked, *model.tokenize(ASK.encode(), add_bos=False, special=True)]


def answered(model: Llama, grammars: dict[str, str], frames: Sequence[Frame]) -> list[Answer]:
    """Answer every frame's utterance."""
    rules = {d: LlamaGrammar.from_string(text, verbose=False) for d, text in grammars.items()}
    return [_answered(model, rules[frame.domain], frame) for frame in frames]


def _answered(model: Llama, rules: LlamaGrammar, frame: Frame) -> Answer:
    model.reset()
    asked = prompt(model, frame)
    model.eval(asked)
    chance = _likeliest(model)
    sampler = model._init_sampler(temp=0.0, grammar=rules)  # noqa: SLF001 # one state an answer
    ids: list[int] = []
    while len(ids) < _MOST_TOKENS:
        ids.append(sampler.sample(model._ctx, -1))  # noqa: SLF001
        if ids[-1] == model.token_eos():
            break
        model.eval(ids[-1:])
    sampler.close()
    return Answer(model.detokenize(ids).decode(), chance, len(ids))


def _likeliest(model: Llama) -> float:
    numbers = llama_cpp.llama_get_logits_ith(model._ctx.ctx, -1)  # noqa: SLF001
    logits = np.ctypeslib.as_array(numbers, shape=(model.n_vocab(),)).astype(np.float64)
    return float(1 / np.exp(logits - logits.max()).sum())


def figures(frames: Sequence[Frame], answers: Sequence[Answer]) -> dict[str, float]:
    """Keep the score of one domain's answers."""
    right = np.array([a.intent == f.intent for f, a in zip(frames, answers, strict=True)])
    surest = np.argsort([-a.chance for a in answers], kind="stable")[: int(_SURE * len(answers))]
    wanted = [Counter(frame.slots) for frame in frames]
    hits = sum((w & a.slots).total() for w, a in zip(wanted, answers, strict=True))
    whole = [
        ok and w == a.slots for ok, w, a in zip(right, wanted, answers, strict=True)
    ]
    return {
        "accuracy": _rounded(right.mean()),
        "surest_accuracy": _rounded(right[surest].mean()),
        "slot_f1": _rounded(
            2 * hits / (sum(w.total() for w in wanted) + sum(a.slots.total() for a in answers))
        ),
        "frame_accuracy": _rounded(np.mean(whole)),
        "tokens": round(float(np.mean([a.tokens for a in answers])), 2),
        "samples": len(answers),
    }


def unsure(answers: Sequence[Answer]) -> list[int]:
    """List the rows of the least sure fifth."""
    order = np.argsort([-a.chance for a in answers], kind="stable")
    return [int(row) for row in order[int(_SURE * len(answers)) :]]


def _rounded(value: float) -> float:
    return round(float(value), 4)
