"""When an answer can only end, the model is not asked whether it does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.package.gguf import Weights
from broker.package.grammar import Grammar
from broker.package.llama import LlamaModel
from broker.wire.payload import Text
from tests.unit.package.gguf_files import write_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weights]:
    path = tmp_path_factory.mktemp("weights") / "model.gguf"
    write_model(path)
    weights = Weights(path)
    yield weights
    weights.close()


@pytest.mark.parametrize(
    ("rules", "said", "over"),
    [
        ('root ::= "ab"', "", False),
        ('root ::= "ab"', "a", False),
        ('root ::= "ab"', "ab", True),
        ("root ::= [a-c]+", "ab", False),  # it may end, or go on
        ('root ::= "a" "b"?', "a", False),
        ('root ::= "a" "b"?', "ab", True),
        ('root ::= "a" "\\u00e9"?', "a", False),  # goes on with two bytes
        ('root ::= "a" [^a-z]?', "a", False),
        ('root ::= "{" ("a" | "}") "}"', "{}}", True),
    ],
)
def test_an_answer_is_over_when_nothing_but_its_end_may_come(
    weights: Weights, rules: str, said: str, *, over: bool
) -> None:
    grammar = Grammar(weights, rules, "test")
    for token in (weights.tokens(c, begin=False, special=False)[-1] for c in said):
        grammar.accept(token)

    found = grammar.is_over()

    grammar.close()
    assert found is over


def test_a_model_is_not_asked_for_an_end_that_is_certain(
    tmp_path: Path, loaded: Callable[..., LlamaModel]
) -> None:
    (tmp_path / "form.gbnf").write_text('root ::= "yes"', encoding="utf-8")
    model = loaded({"domain": "free", "grammar": "form.gbnf", "max_tokens": 9})

    answer = model.answer(Text("on"), "free")

    read = model._context._held[len(model.prompted(Text("on"), "free")) :]
    assert answer.answer == "yes"
    assert not answer.truncated
    assert b"".join(map(model._weights.piece, read)) == b"ye"


def test_tokens_stand_for_a_byte_that_no_token_says_alone(tmp_path: Path) -> None:
    class NoLoneA(Weights):
        def _said(self, token: int) -> bytes:
            piece = super()._said(token)
            return b"ab" if piece == b"a" else piece

    write_model(tmp_path / "model.gguf")
    weights = NoLoneA(tmp_path / "model.gguf")

    pieces = [weights.piece(token) for token in weights.beginnings()]

    weights.close()
    assert b"ab" in pieces
    assert {piece[:1] for piece in pieces} == {bytes([byte]) for byte in range(256)}
