"""What the model of names is told of a text: the words, and what is known of each."""

import time

import pytest

from agent.core.find.features import Reader, is_cased
from agent.core.find.lexicon import Lexicon, LexiconError, pack
from agent.core.find.tokens import cut
from tests.logs import machine_lines

LEXICON = pack({"anna": ("F", 3), "paris": ("FC", 7), "für": ("", 9)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr. O'Brien's", ["Dr", ".", "O", "'", "Brien", "'", "s"]),
        ("Jean-Luc_2", ["Jean", "-", "Luc", "_", "2"]),
        ("1b St\n\n Apt. 4\nBern", ["1b", "St", "\n\n", "Apt", ".", "4", "\n", "Bern"]),
        ("sshd[24]: 06:55:46, eth0", ["sshd", "[", "24", "]", ":", "06:55:46", ",", "eth0"]),
        ("c85f0d46-2298 12-14 Main", ["c85f0d46-2298", "12-14", "Main"]),
        ("2026-11-20T06:55Z John-2", ["2026-11-20T06:55Z", "John", "-", "2"]),
        ("born 3.4.1990.", ["born", "3.4.1990", "."]),
        ("ΕΓΚΩΜΗ, Łódź", ["ΕΓΚΩΜΗ", ",", "Łódź"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_words(text: str, words: list[str]) -> None:
    assert cut(text).words == words


def test_a_word_knows_its_place() -> None:
    found = cut("Hi  Anna!\n Bye")

    pieces = [found.words, found.starts, found.ends]
    assert list(zip(*pieces, strict=True)) == [
        ("Hi", 0, 2), ("Anna", 4, 8), ("!", 8, 9), ("\n", 9, 11), ("Bye", 11, 14)
    ]  # fmt: skip


def test_a_lexicon_knows_what_was_packed() -> None:
    lexicon = Lexicon(LEXICON)

    assert [lexicon.look_up(word) for word in ("anna", "paris", "für", "berta", "zzz")] == [
        ("F", 3), ("FC", 7), ("", 9), ("", 0), ("", 0)
    ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"FLX1", LEXICON[:-1], LEXICON + b"0", b"X" + LEXICON[1:]])
def test_a_damaged_lexicon_is_refused(data: bytes) -> None:
    with pytest.raises(LexiconError):
        Lexicon(data)


def test_a_word_is_told_with_its_neighbours() -> None:
    reader = Reader(Lexicon(LEXICON))

    row = reader.rows(["Call", "Anna", "now"], cased=True)[1]

    assert {"w:anna", "g:CF", "c:3", "-w:call", "+w:now", "--^", "kC CF a"} <= set(row)


def test_case_is_told_only_where_it_means_something() -> None:
    reader = Reader(Lexicon(LEXICON))

    capitals = reader.rows(cut("CALL ANNA").words, cased=is_cased("CALL ANNA"))
    small = reader.rows(cut("call anna").words, cased=is_cased("call anna"))

    assert capitals == small


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("1984", "w:year"),
        ("2500", "w:0000"),
        ("7", "w:0"),
        ("1" * 50, "w:" + "0" * 7),
        ("06:55:46", "w:0:0:0"),
        ("192.0.2.17", "w:0.0.0.0"),
        ("12th", "w:0th"),
        ("SSH2", "w:ssh0"),
        ("c85f0d46", "w:c0f0d0"),
        ("deadbeef1", "w:id"),
    ],
)
def test_numbers_of_a_form_are_one_word(word: str, told: str) -> None:
    assert told in Reader(Lexicon(LEXICON)).rows([word], cased=True)[0]


def test_what_is_forgotten_is_told_the_same_again() -> None:
    reader = Reader(Lexicon(LEXICON))
    words = [f"word{'x' * (n % 7)}{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(5000)]

    first = reader.rows(words, cased=True)

    assert reader.rows(words, cased=True) == first


def test_texts_that_differ_in_their_numbers_are_told_alike() -> None:
    reader = Reader(Lexicon(LEXICON))

    one, other, another = (
        [word.number for word in reader.read(text)]
        for text in ("Anna, 06:55 on eth0", "Anna, 17:02 on eth3", "Anna, 17:02 on eth33:1")
    )

    assert one == other != another


def test_a_text_is_read_as_its_words_are_told() -> None:
    reader = Reader(Lexicon(LEXICON))
    texts = [line.text for line in machine_lines(200)]
    texts += ["born 1984, 2500 EUR, 0000", "C85F0D46 12th", "\u0661\u0662 1\u0661", "A\n\nB 19", ""]

    for text in texts:
        told = reader.told(cut(text).words, cased=is_cased(text))

        assert [word.number for word in reader.read(text)] == [word.number for word in told]


def test_cutting_takes_time_in_proportion() -> None:
    pieces = ("1-a", "a1", "1:", "1-aaaa", "a", "\u0661a", "1..a")
    for piece in pieces:
        small, large = seconds(piece * 4_000), seconds(piece * 32_000)

        assert large < 24 * max(small, 1e-4)


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        cut(text)
        best = min(best, time.process_time() - start)
    return best
