r"""A byte-pair vocabulary whose answers take few tokens, the same here and in llama.cpp.

Three kinds of pieces:

- words and word pieces, learned from the texts without their spaces; each piece that can begin
  a word exists twice, alone and after a space. The space joins last, so a word is cut alike in
  the utterance and at the start of a JSON value, and copying it is the same act everywhere;
- the JSON around the values, one token for each intent and slot. No merge leads to them, so no
  text can spell them: they can only be written by the model;
- control tokens of the prompt, which llama.cpp reads only where special tokens are asked for.

A token is a base piece and a variant (alone, after a space, ...); the model learns one vector
for each base and one for each variant, so rare words share what common words teach.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from training.home_nlu.frames import DOMAINS, HOME, SNIPS, Frame

END: Final = "<end>"
ASK: Final = "<ask>"
PROMPTS: Final = {HOME: "<home>", SNIPS: "<snips>"}
CONTROL: Final = (END, ASK, *PROMPTS.values())
SPACE: Final = "\u0120"  # how GPT-2's byte alphabet writes a space
ALONE, SPACED, NEXT, LISTED = range(4)
_ITEM: Final = '", "'
_CLOSE, _CLOSE_LIST, _CLOSE_EMPTY = '"}}', '"]}}', "}}"
_COMMAS: Final = {_CLOSE: '", ', _CLOSE_LIST: '"], '}  # where another slot follows instead
_ESCAPED_QUOTE: Final = ("\\", '"')  # merged first, so that \" is one token in a value
# The byte alphabet of GPT-2, which llama.cpp's "gpt2" vocabularies use: printed bytes are
# themselves, the others follow from 256 on.
_PRINTED: Final = (*range(33, 127), *range(161, 173), *range(174, 256))
_OTHERS: Final = tuple(byte for byte in range(256) if byte not in _PRINTED)
_BYTES: Final = {byte: chr(byte) for byte in _PRINTED} | {
    byte: chr(256 + place) for place, byte in enumerate(_OTHERS)
}
_NUMBERS: Final = {letter: byte for byte, letter in _BYTES.items()}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All tokens in the order of their ids, as the GGUF file has them."""

    pieces: tuple[str, ...]  # in GPT-2's byte alphabet; control tokens as they are
    merges: tuple[tuple[str, str], ...]
    bases: tuple[int, ...]  # of each token, the number of its base vector
    variants: tuple[int, ...]  # of each token, ALONE, SPACED, NEXT or LISTED

    def tokenizer(self) -> Tokenizer:
        """Make the tokenizer for texts; it never gives a scaffolding or control token."""
        ids = {piece: number for number, piece in enumerate(self.pieces)}
        tokenizer = Tokenizer(models.BPE(vocab=ids, merges=list(self.merges)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer


def spelled(text: str) -> str:
    """Write a text in GPT-2's byte alphabet."""
    return "".join(_BYTES[byte] for byte in text.encode())


def read_back(known: Vocabulary, ids: Sequence[int]) -> str:
    """Give the text of tokens; control tokens have none."""
    letters = "".join(known.pieces[number] for number in ids if known.pieces[number] not in CONTROL)
    return bytes(_NUMBERS[letter] for letter in letters).decode(errors="replace")


def learn(texts: Sequence[str], frames: Sequence[Frame], *, size: int) -> Vocabulary:
    """Learn `size` base pieces from texts, and lay out the whole vocabulary of the frames."""
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" "), "removed"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator(texts, trainer)
    learned = json.loads(plain.to_str())["model"]
    pieces = sorted(learned["vocab"], key=learned["vocab"].__getitem__)
    merges = [_ESCAPED_QUOTE, *(tuple(pair) for pair in learned["merges"])]
    pieces += [] if "".join(_ESCAPED_QUOTE) in pieces else ["".join(_ESCAPED_QUOTE)]
    first = _first_pieces(plain, texts)
    rows = [(piece, n, ALONE) for n, piece in enumerate(pieces)]
    for n, piece in enumerate(pieces):
        if piece in first:
            rows.append((SPACE + piece, n, SPACED))
            merges.append((SPACE, piece))
    rows += _scaffolding(frames, len(pieces))
    rows += [(name, rows[-1][1] + 1 + n, ALONE) for n, name in enumerate(CONTROL)]
    names, bases, variants = zip(*rows, strict=True)
    return Vocabulary(names, tuple(dict.fromkeys(merges)), bases, variants)


def _first_pieces(plain: Tokenizer, texts: Sequence[str]) -> set[str]:
    words = Counter(word for text in texts for word in text.split(" ") if word)
    found = plain.encode_batch(list(words), add_special_tokens=False)
    return {encoding.tokens[0] for encoding in found}


def _scaffolding(frames: Sequence[Frame], start: int) -> list[tuple[str, int, int]]:
    """List (piece, base, variant) of every piece of JSON around the values."""
    heads = sorted({(DOMAINS.index(frame.domain), frame.intent) for frame in frames})
    fixed = [intent_piece(intent) for _, intent in heads]
    fixed += [_ITEM, *_COMMAS.values(), *_COMMAS, _CLOSE_EMPTY]
    rows = [(spelled(text), start + n, ALONE) for n, text in enumerate(fixed)]
    start += len(fixed)
    for n, slot in enumerate(sorted({slot for frame in frames for slot, _ in frame.slots})):
        rows += [
            (spelled(slot_piece(slot, variant)), start + n, variant)
            for variant in (ALONE, NEXT, LISTED)
        ]
    return rows


def intent_piece(intent: str) -> str:
    """Give the one token that an answer begins with."""
    return f'{{"intent": "{intent}", "slots": {{'


def slot_piece(slot: str, variant: int) -> str:
    """Give the token that opens a slot: the first one, one after a single value, or a list."""
    return {ALONE: f'"{slot}": "', NEXT: f'", "{slot}": "', LISTED: f'"{slot}": ["'}[variant]


def answer_pieces(frame: Frame) -> list[tuple[str, bool]]:
    """Cut a frame's JSON into (piece, is a value); the pieces concatenate to `answer`."""
    cut, before = [(intent_piece(frame.intent), False)], ""
    for slot, values in frame.grouped.items():
        listed = len(values) > 1
        if before == _CLOSE and not listed:
            cut.append((slot_piece(slot, NEXT), False))
        else:
            cut += [(_COMMAS[before], False)] if before else []
            cut.append((slot_piece(slot, LISTED if listed else ALONE), False))
        for place, value in enumerate(values):
            cut += [(_ITEM, False)] if place else []
            cut.append((json.dumps(value, ensure_ascii=False)[1:-1], True))
        before = _CLOSE_LIST if listed else _CLOSE
    return [*cut, (before or _CLOSE_EMPTY, False)]


class Encoder:
    """Turns frames into token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Prepare the tokenizer and the ids of the scaffolding."""
        self._tokenizer = vocabulary.tokenizer()
        self._ids = {piece: number for number, piece in enumerate(vocabulary.pieces)}

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Encode plain texts, in which nothing is special."""
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]

    def control(self, name: str) -> int:
        """Give the id of a control token."""
        return self._ids[name]

    def intent(self, intent: str) -> int:
        """Give the id of the token that an answer with this intent begins with."""
        return self._ids[spelled(intent_piece(intent))]

    def answers(self, frames: Sequence[Frame]) -> list[list[int]]:
        """Encode the frames' answers, each with its end token."""
        cuts = [answer_pieces(frame) for frame in frames]
        values = iter(self.texts([piece for cut in cuts for piece, is_value in cut if is_value]))
        found = []
        for cut in cuts:
            ids: list[int] = []
            for piece, is_value in cut:
                ids += next(values) if is_value else [self._ids[spelled(piece)]]
            found.append([*ids, self._ids[END]])
        return found
