"""The OpenAI chat completion, as far as we use it: what we post, and what we take from the reply.

Pure: bytes and values in, bytes and values out.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeGuard

import msgspec

from broker.wire.payload import Payload, Window, split
from cloud_worker.errors import UnfitQuestionError, UnusableReplyError

TEXT = "{text}"  # in a prompt: where the question stands


class Score(StrEnum):
    """What becomes of the tokens' probabilities. None of it is a calibrated chance."""

    NONE = "none"  # not asked for: 0
    FIRST = "first"  # of the first token
    LOWEST = "lowest"
    MEAN = "mean"  # geometric: exp of the mean log-probability
    PRODUCT = "product"  # of the whole answer; small for a long one


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """How a question is put to a server."""

    model: str  # the server's name for it
    system: str = ""
    prompt: str = TEXT
    max_tokens: int = 256
    score: Score = Score.MEAN
    schema: Mapping[str, object] | None = None  # JSON Schema of the answer


@dataclass(frozen=True, slots=True)
class Completion:
    """What a server answered."""

    text: str = field(repr=False)  # stripped, not empty
    score: float  # in [0, 1]; 0 where the server gives no log-probabilities
    cut: bool  # at max_tokens
    tokens: tuple[int, int] | None = None  # of the question and of the answer; None: not told


class _Token(msgspec.Struct):
    logprob: float  # natural logarithm


class _Tokens(msgspec.Struct):
    content: list[_Token] | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Tokens | None = None


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    usage: object = None  # nobody's answer is lost over what it cost


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


_REPLY = msgspec.json.Decoder(_Reply)
_MODELS = msgspec.json.Decoder(_Models)
_MOST_TOKENS = 2**31  # more is no count
_MAY_SAY = frozenset({"length", "stop", "eos", "", None})  # else the answer is not in the text

# How servers say that a prompt is too long: llama-server has fields, the others have words.
_TOO_LONG = re.compile(rb"context|too long|maximum.{0,20}length", re.IGNORECASE)
_FIELDS = (re.compile(rb'"n_prompt_tokens":\s*(\d{1,9})'), re.compile(rb'"n_ctx":\s*(\d{1,9})'))
_ASKED = re.compile(rb"(?:requested|input \(|has|prompt \()\D{0,20}(\d{1,9}) (?:input )?tokens")
_ROOM = re.compile(rb"context (?:length|window|size)\D{0,20}(\d{1,9}) tokens")


def request(prompt: Prompt, payload: Payload) -> bytes:
    """The body of a question.

    Raises:
        UnfitQuestionError: a window is nothing that a language model reads.
    """
    if isinstance(payload, Window):
        raise UnfitQuestionError(f"{prompt.model} takes a text or a record, not a window")
    text = split(payload)[1].decode()
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    user = {"role": "user", "content": prompt.prompt.replace(TEXT, text)}
    body: dict[str, object] = {
        "model": prompt.model,
        "messages": [*system, user],
        "max_tokens": prompt.max_tokens,
        "temperature": 0,
        "stream": False,
    }
    if prompt.score is not Score.NONE:
        body |= {"logprobs": True, "top_logprobs": 1}
    if prompt.schema is not None:
        schema = {"name": "answer", "schema": prompt.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return json.dumps(body, ensure_ascii=False).encode()


def completion(body: bytes, prompt: Prompt) -> Completion:
    """Read the reply to a question.

    Raises:
        UnusableReplyError: there is no answer in it.
    """
    try:
        reply = _REPLY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnusableReplyError("the model server's reply is no chat completion") from None
    if not reply.choices:
        raise UnusableReplyError("the model server's reply has no choice in it")
    choice = reply.choices[0]
    if choice.finish_reason not in _MAY_SAY:
        raise UnusableReplyError("the model server ended the answer for a reason of its own")
    text, cut = (choice.message.content or "").strip(), choice.finish_reason == "length"
    if not text:
        why = f": {prompt.max_tokens} tokens were not enough" if cut else ""
        raise UnusableReplyError(f"the model's answer is empty{why}")
    if prompt.schema is not None:
        _require_json(text, prompt.max_tokens if cut else 0)
    tokens = choice.logprobs.content if choice.logprobs else None
    score = _score([each.logprob for each in tokens or ()], prompt.score)
    return Completion(text, score, cut, _tokens(reply.usage))


def refusal(status: int, body: bytes) -> UnusableReplyError:
    """What a status other than 200 means; of the body only two numbers are taken."""
    if status in (400, 413, 422) and _TOO_LONG.search(body):
        asked, room = (_number(each, body) for each in _numbers(body))
        if asked and room:
            return UnusableReplyError(
                f"the question is too long for the model: {asked} tokens, and it takes {room}"
            )
        if room:
            return UnusableReplyError(
                f"the question is too long for the model, which takes {room} tokens"
            )
    return UnusableReplyError(f"the model server refuses: HTTP {status}")


def models(body: bytes) -> tuple[str, ...]:
    """The names that a server lists.

    Raises:
        UnusableReplyError: it is no list of models.
    """
    try:
        return tuple(each.id for each in _MODELS.decode(body).data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnusableReplyError("the model server's list of models is none") from None


def _tokens(usage: object) -> tuple[int, int] | None:
    told = usage if isinstance(usage, dict) else {}
    asked, said = told.get("prompt_tokens"), told.get("completion_tokens")
    return (asked, said) if _is_count(asked) and _is_count(said) else None


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MOST_TOKENS


def _numbers(body: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    return _FIELDS if _FIELDS[1].search(body) else (_ASKED, _ROOM)


def _number(pattern: re.Pattern[bytes], body: bytes) -> int:
    found = pattern.search(body)
    return int(found[1]) if found else 0


def _require_json(text: str, max_tokens: int) -> None:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        why = f": it was cut at {max_tokens} tokens" if max_tokens else ""
        raise UnusableReplyError(f"the model's answer is no JSON{why}") from None


def _score(logprobs: Sequence[float], how: Score) -> float:
    """(T,) natural logarithms -> a number in [0, 1]."""
    if not logprobs:
        return 0.0
    # Servers round, so that some are above 0. JSON has no NaN, and the sum may be -infinity.
    return math.exp(_combined([min(each, 0.0) for each in logprobs], how))


def _combined(logprobs: Sequence[float], how: Score) -> float:
    match how:
        case Score.NONE:
            return -math.inf
        case Score.FIRST:
            return logprobs[0]
        case Score.LOWEST:
            return min(logprobs)
        case Score.MEAN:
            return sum(logprobs) / len(logprobs)
        case Score.PRODUCT:
            return sum(logprobs)
