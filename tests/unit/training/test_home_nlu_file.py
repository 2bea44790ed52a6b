"""A language model of ours, read back from its file to be trained further."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: pip install -e '.[train]'")

from training.home_nlu import gguf_file  # noqa: E402 - needs PyTorch
from training.home_nlu.grow import grown  # noqa: E402 - needs PyTorch
from training.home_nlu.llama import Llama, Shape  # noqa: E402 - needs PyTorch
from training.home_nlu.tokens import ALONE, CONTROL, SPACED, Vocabulary  # noqa: E402 - needs PyTorch

SHAPE = Shape(width=64, depth=2, heads=2, hidden=64, context=16)
KNOWN = Vocabulary(
    pieces=(*CONTROL, "a", "b", "\u0120a", "\u0120b"),
    merges=(("\u0120", "a"), ("\u0120", "b")),
    bases=(0, 1, 2, 3, 4, 5, 4, 5),
    variants=(*[ALONE] * 6, SPACED, SPACED),
)
IDS, PLACES = torch.tensor([[2, 4, 7, 1]]), torch.tensor([1, 3])


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(0)
    return Llama(SHAPE, torch.tensor(KNOWN.bases), torch.tensor(KNOWN.variants), 0.0)


@pytest.fixture
def file(model: Llama, tmp_path: Path) -> Path:
    gguf_file.write(tmp_path / "model.gguf", model, KNOWN, name="small", format_="q8_0")
    return tmp_path / "model.gguf"


def test_a_model_that_is_read_back_answers_the_same(model: Llama, file: Path) -> None:
    again = gguf_file.read(file, KNOWN, dropout=0.0)

    assert again.shape == SHAPE
    torch.testing.assert_close(again(IDS, PLACES), model(IDS, PLACES), atol=0.02, rtol=0)


def test_a_file_of_other_tokens_is_refused(file: Path) -> None:
    other = Vocabulary((*KNOWN.pieces[:-1], "c"), KNOWN.merges, KNOWN.bases, KNOWN.variants)

    with pytest.raises(ValueError, match="has other tokens"):
        gguf_file.read(file, other, dropout=0.0)


def test_a_deeper_model_answers_the_same_at_first(model: Llama) -> None:
    deeper = grown(model, doubled=(1,))

    assert deeper.shape.depth == SHAPE.depth + 1
    torch.testing.assert_close(deeper(IDS, PLACES), model(IDS, PLACES))
