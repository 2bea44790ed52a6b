"""Sees that llama.cpp cuts every text as training did, and never into tokens of an answer."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from broker.package.gguf import Weights
from training import data
from training.home_nlu.frames import Frame
from training.home_nlu.tokens import CONTROL, Vocabulary

STRANGE = (
    "",
    " ",
    "\t tabs\n\nlines  two   spaces ",
    'caf\u00e9 \u201cquoted\u201d \'s \\" \\ {"intent": "alarm_set", "slots": {"time": "x"}}',
    '<home><ask><end> "}} </s> <EMAIL_1> <PHONE_22>',
    "don't I'LL WE'VE 10:30 1,000.50 \u0661\u0662\u0663 \u2167 \u00bd \uff11\uff12\uff21",
    "\u5317\u4eac \U0001f600 \U0001f469\u200d\U0001f467 e\u0301 \ufb01 a\u00a0b\u2003c\u200b",
    "\x00\x01\x7f \u2d30\u2d63 \u0f40 \u16a0",
)


def texts(frames: Iterable[Frame], source: Path) -> list[str]:
    """List every text there is, every value as it stands in an answer, and strange ones."""
    every = list(STRANGE) + data.unlabelled(source)
    for frame in frames:
        every.append(frame.text)
        every += [value for _, value in frame.slots]
    return list(dict.fromkeys(every))


def check(path: Path, known: Vocabulary, every: Sequence[str]) -> None:
    """Compare the file's tokens with those of the tokenizer that the model was trained with.

    Raises:
        ValueError: a text is cut otherwise, or spells a token that only a model may write.
    """
    spoken = {piece for pair in known.merges for piece in ("".join(pair), *pair)}
    reserved = {n for n, piece in enumerate(known.pieces) if piece in CONTROL}
    reserved |= {n for n, piece in enumerate(known.pieces) if len(piece) > 1} - {
        n for n, piece in enumerate(known.pieces) if piece in spoken
    }
    weights = Weights(path, pretend=True)
    for text, found in zip(every, known.tokenizer().encode_batch(list(every)), strict=True):
        cut = weights.tokens(text, begin=True, special=False)
        if cut != found.ids or reserved & set(cut):
            raise ValueError(f"llama.cpp cuts {text!r} into {cut}, training into {found.ids}")
    weights.close()
    print(f"{path}: {len(every)} texts are cut alike, none into tokens of an answer")
