"""Words, pieces and the cut, against what BERT's own tokenizer gives."""

import pytest

from broker.package.tokenize import WordPiece, words

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "##ing", "##s", "cafe", "[", "]", "sep"]
PIECES += ["<", ">", "_", "1", "email", "日"]


@pytest.fixture
def tokenizer() -> WordPiece:
    return WordPiece(PIECES, max_tokens=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wake me at 7", ["wake", "me", "at", "7"]),
        ("don't, please", ["don", "'", "t", ",", "please"]),
        ("<EMAIL_1>", ["<", "email", "_", "1", ">"]),
        ("tab\there\nand\x00 there\x7f", ["tab", "here", "and", "there"]),
        ("Café NAÏVE", ["cafe", "naive"]),
        ("日本 ok", ["日", "本", "ok"]),
        ("ΟΔΟΣ", ["οδοσ"]),  # BERT lowers each letter alone: no final sigma
        ("a\u200bb\ufffdc", ["abc"]),
        ("“quoted”—so", ["“", "quoted", "”", "—", "so"]),
        ("a\u00a0b\u3000c", ["a", "b", "c"]),
        ("é$5", ["e", "$", "5"]),
        ("", []),
    ],
)
def test_a_text_splits_into_the_words_of_bert(text: str, expected: list[str]) -> None:
    found = words(text)

    assert found == expected


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("playing plays", (2, 4, 5, 4, 6, 3)),
        ("play it", (2, 4, 1, 3)),
        ("playx", (2, 1, 3)),
        ("[SEP]", (2, 8, 10, 9, 3)),
        ("s" * 101, (2, 1, 3)),
        ("<EMAIL_1>", (2, 11, 15, 13, 14, 12, 3)),
        ("日", (2, 16, 3)),
        ("", (2, 3)),
    ],
)
def test_words_become_the_longest_known_pieces(
    tokenizer: WordPiece, text: str, ids: tuple[int, ...]
) -> None:
    tokens = tokenizer.encode(text)

    assert tokens.ids == ids
    assert not tokens.truncated


def test_a_word_of_a_hundred_letters_is_still_cut_into_pieces() -> None:
    tokenizer = WordPiece(["[CLS]", "[SEP]", "[UNK]", "s", "##s"], max_tokens=200)

    tokens = tokenizer.encode("s" * 100)

    assert len(tokens.ids) == 102


def test_a_text_that_just_fits_is_not_cut(tokenizer: WordPiece) -> None:
    tokens = tokenizer.encode("play " * 6)

    assert tokens.ids == (2, 4, 4, 4, 4, 4, 4, 3)
    assert not tokens.truncated


def test_a_longer_text_is_cut_and_says_so(tokenizer: WordPiece) -> None:
    tokens = tokenizer.encode("play " * 7)

    assert tokens.ids == (2, 4, 4, 4, 4, 4, 4, 3)
    assert tokens.truncated


def test_a_vocabulary_without_special_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no \[CLS\], \[UNK\]"):
        WordPiece(["[SEP]", "a"], max_tokens=8)


def test_a_limit_without_room_for_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="need 3"):
        WordPiece(PIECES, max_tokens=2)
