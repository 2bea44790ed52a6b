"""What a conversation has given, on disk: sealed, for any thread, until it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from agent.core.pseudonyms import Past
from agent.store.conversations import MOST_VALUES, Conversations
from agent.store.errors import OutboxFullError, StoreError

KEY = b"k" * 32
FIRST, SECOND = UUID(int=1), UUID(int=2)
LIFETIME_S = 240.0
KILLED = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from tests.unit.agent.test_conversation_store import FIRST, Shop
with Shop(Path(sys.argv[1])).opened() as store:
    with store.turn("home", "anna", FIRST) as turn:
        names = turn.past.names()
        names.name("EMAIL", "a@b.com")
        turn.keep(names.past())
        os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass
class Shop:
    """Opens the conversations of one file."""

    file: Path
    key: bytes = KEY
    now_s: float = 1000.0
    counted: list[str] = field(default_factory=list)

    @contextmanager
    def opened(self) -> Iterator[Conversations]:
        store = Conversations(
            self.file,
            key=self.key,
            lifetime_s=LIFETIME_S,
            now_s=lambda: self.now_s,
            count=self.counted.append,
        )
        with closing(store):
            yield store


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "outbox.db")


@pytest.fixture
def store(shop: Shop) -> Iterator[Conversations]:
    with shop.opened() as store:
        yield store


def name(store: Conversations, value: str, conversation: str = "anna", task: str = "home") -> str:
    with store.turn(task, conversation, FIRST) as turn:
        names = turn.past.names()
        given = names.name("EMAIL", value)
        turn.keep(names.past())
    return given


def past(store: Conversations, conversation: str = "anna") -> Past:
    with store.turn("home", conversation, FIRST) as turn:
        return turn.past


def test_a_value_keeps_its_name_and_no_other_gets_it(store: Conversations) -> None:
    given = [name(store, value) for value in ("a@b.com", "c@d.com", "a@b.com", "e@f.com")]

    assert given == ["<EMAIL_1>", "<EMAIL_2>", "<EMAIL_1>", "<EMAIL_3>"]


def test_conversations_and_tasks_know_nothing_of_each_other(store: Conversations) -> None:
    name(store, "a@b.com")

    assert name(store, "c@d.com", conversation="bob") == "<EMAIL_1>"
    assert name(store, "c@d.com", task="office") == "<EMAIL_1>"


def test_a_question_without_a_conversation_is_alone(store: Conversations) -> None:
    name(store, "a@b.com", conversation="")

    assert past(store, "").given == ()


def test_names_survive_a_restart(shop: Shop) -> None:
    with shop.opened() as store:
        name(store, "a@b.com")
        before = past(store)

    with shop.opened() as store:
        assert past(store) == before
        assert name(store, "c@d.com") == "<EMAIL_2>"


def test_names_survive_a_kill(shop: Shop) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(shop.file)], check=False)

    assert killed.returncode == -signal.SIGKILL
    with shop.opened() as store:
        assert [each.value for each in past(store).given] == ["a@b.com"]


def test_nothing_personal_stands_in_the_file(shop: Shop) -> None:
    with shop.opened() as store:
        name(store, "a@b.com", conversation="anna-berg")
        kept = b"".join(path.read_bytes() for path in shop.file.parent.glob("outbox.db*"))

    for personal in (b"a@b.com", b"anna", b"EMAIL", b"home"):
        assert personal not in kept


def test_threads_never_give_one_name_to_two_values(store: Conversations) -> None:
    values = [f"{number % 40}@example.org" for number in range(400)]

    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda value: name(store, value), values))

    pairs = set(zip(values, given, strict=True))
    assert len(pairs) == len(set(values)) == len(set(given)) == 40
    assert {(each.value, each.name) for each in past(store).given} == pairs


@pytest.mark.parametrize("hop_s", [LIFETIME_S + 1, -LIFETIME_S - 1])
def test_a_conversation_ends_when_nobody_uses_it(
    shop: Shop, store: Conversations, hop_s: float
) -> None:
    name(store, "a@b.com")

    shop.now_s += hop_s

    assert past(store).given == ()
    store.expire()
    assert shop.counted == ["conversations_ended"]
    assert store._db.execute("SELECT count(*) FROM conversations").fetchone() == (0,)


def test_a_conversation_that_is_used_goes_on(shop: Shop, store: Conversations) -> None:
    name(store, "a@b.com")

    for _ in range(4):
        shop.now_s += LIFETIME_S / 2
        store.expire()
        assert name(store, "a@b.com") == "<EMAIL_1>"

    assert shop.counted == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE conversations SET past = x'00'",
        "UPDATE conversations SET past = zeroblob(60)",
        "UPDATE conversations SET past = (SELECT past FROM conversations ORDER BY name LIMIT 1)",
    ],
)
def test_an_altered_row_is_a_lost_conversation(
    shop: Shop, store: Conversations, tampering: str, caplog: pytest.LogCaptureFixture
) -> None:
    name(store, "a@b.com")
    name(store, "a@b.com", conversation="bob")

    store._db.execute(tampering)

    found = [past(store), past(store, "bob")]
    assert () in [each.given for each in found]
    assert "conversations_lost" in shop.counted
    assert "a@b.com" not in caplog.text


def test_another_devices_conversation_does_not_open(shop: Shop) -> None:
    with shop.opened() as store:
        name(store, "a@b.com")

    with Shop(shop.file, key=b"x" * 32).opened() as store:
        assert past(store).given == ()


def test_the_oldest_of_very_many_values_are_forgotten_and_their_names_never_given_again(
    shop: Shop, store: Conversations
) -> None:
    with store.turn("home", "anna", FIRST) as turn:
        names = turn.past.names()
        for number in range(MOST_VALUES + 2):
            names.name("EMAIL", f"{number}@example.org")
        turn.keep(names.past())

    assert len(past(store).given) == MOST_VALUES
    assert shop.counted == ["pseudonyms_forgotten"] * 2
    assert name(store, "0@example.org") == f"<EMAIL_{MOST_VALUES + 3}>"


def test_a_disk_without_room_keeps_nothing_and_says_so(store: Conversations) -> None:
    name(store, "a@b.com")
    store._db.execute("PRAGMA query_only = ON")

    with pytest.raises(OutboxFullError):
        name(store, "c@d.com")

    assert name(store, "a@b.com") == "<EMAIL_1>"
    store._db.execute("PRAGMA query_only = OFF")
    assert name(store, "e@f.com") == "<EMAIL_2>"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 100)

    with pytest.raises(StoreError), Shop(tmp_path / "x.db").opened():
        pass


def test_surrogates_are_those_of_the_conversation_or_of_the_question(shop: Shop) -> None:
    def key(talk: str, ticket: UUID = FIRST, task: str = "home") -> bytes:
        with shop.opened() as store, store.turn(task, talk, ticket) as turn:
            return turn.past.key

    assert key("anna") == key("anna", SECOND)
    assert key("") == key("")
    keys = (key("anna"), key("bob"), key(""), key("", SECOND), key("anna", task="office"))
    assert len(set(keys)) == len(keys)
