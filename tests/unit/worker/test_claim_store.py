import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from broker.wire.topics import DeviceId
from cloud_worker.errors import ClaimStoreError
from cloud_worker.store import ClaimStore, Done, New, Request, Working

NOW_S = 1_000.0
LEASE_S = 60.0
REQUEST = Request(DeviceId("board-1"), UUID(int=1), b"d" * 32, NOW_S + 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


@pytest.fixture
def store(path: Path) -> Iterator[ClaimStore]:
    with ClaimStore(path, lease_s=LEASE_S) as store:
        yield store


def test_a_question_is_claimed_once(store: ClaimStore) -> None:
    states = [store.claim(REQUEST, now_s=NOW_S) for _ in range(2)]

    assert states == [New(), Working()]


def test_looking_claims_nothing(store: ClaimStore) -> None:
    states = [store.look(REQUEST, now_s=NOW_S) for _ in range(2)]

    assert states == [New(), New()]


def test_a_repeat_gets_the_stored_bytes(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)
    store.finish(REQUEST, b"sealed")

    states = store.claim(REQUEST, now_s=NOW_S), store.look(REQUEST, now_s=NOW_S)

    assert states == (Done(b"sealed"), Done(b"sealed"))


def test_an_instant_answer_needs_no_claim(store: ClaimStore) -> None:
    reply = store.finish(REQUEST, b"sealed")

    assert reply == b"sealed"
    assert store.look(REQUEST, now_s=NOW_S) == Done(b"sealed")


def test_the_first_stored_reply_is_the_one_that_counts(store: ClaimStore) -> None:
    store.finish(REQUEST, b"first")

    reply = store.finish(REQUEST, b"second")

    assert reply == b"first"


def test_replies_are_brought_to_the_disk_once_for_all(store: ClaimStore, path: Path) -> None:
    store.finish(REQUEST, b"sealed")
    store.finish(replace(REQUEST, ticket=UUID(int=9)), b"sealed")

    for _ in range(3):
        store.persist()

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT times FROM persisted").fetchall() == [(1,)]


SEALED_ANEW = replace(REQUEST, digest=b"o" * 32)


def test_a_question_that_is_sealed_anew_is_worked_on_once(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)
    working = store.look(SEALED_ANEW, now_s=NOW_S), store.claim(SEALED_ANEW, now_s=NOW_S)
    store.finish(REQUEST, b"sealed")

    done = store.look(SEALED_ANEW, now_s=NOW_S), store.claim(SEALED_ANEW, now_s=NOW_S)

    assert working == (Working(), Working())
    assert done == (Done(b"sealed"), Done(b"sealed"))


def test_a_question_that_is_sealed_anew_is_taken_over_when_the_lease_is_over(
    store: ClaimStore,
) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    taken = store.claim(SEALED_ANEW, now_s=NOW_S + LEASE_S)
    late = store.finish(REQUEST, b"late")
    reply = store.finish(SEALED_ANEW, b"sealed")

    assert (taken, late, reply) == (New(), b"late", b"sealed")
    assert store.look(REQUEST, now_s=NOW_S) == Done(b"sealed")


def test_a_reply_to_a_seal_that_nobody_works_on_is_not_stored(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    store.finish(SEALED_ANEW, b"wrong")

    assert store.look(REQUEST, now_s=NOW_S) == Working()


def test_the_same_ticket_of_two_devices_is_two_questions(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    state = store.claim(replace(REQUEST, device=DeviceId("board-2")), now_s=NOW_S)

    assert state == New()


def test_a_released_claim_is_open(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    store.release(REQUEST)

    assert store.claim(REQUEST, now_s=NOW_S) == New()


def test_a_reply_is_not_released(store: ClaimStore) -> None:
    store.finish(REQUEST, b"sealed")

    store.release(REQUEST)

    assert store.look(REQUEST, now_s=NOW_S) == Done(b"sealed")


def test_a_claim_is_taken_over_when_its_lease_is_over(store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    before = store.claim(REQUEST, now_s=NOW_S + LEASE_S - 1)
    after = store.claim(REQUEST, now_s=NOW_S + LEASE_S)
    again = store.claim(REQUEST, now_s=NOW_S + LEASE_S)

    assert (before, after, again) == (Working(), New(), Working())


def test_what_nobody_can_ask_again_is_forgotten_in_batches(store: ClaimStore) -> None:
    for number in range(300):
        request = replace(REQUEST, ticket=UUID(int=number), expires_s=NOW_S)
        store.finish(request, b"sealed")
    store.finish(replace(REQUEST, ticket=UUID(int=999), expires_s=NOW_S + 1), b"sealed")

    counts = [store.forget(now_s=NOW_S) for _ in range(3)]

    assert counts == [256, 44, 0]


def test_replies_survive_a_restart(path: Path, store: ClaimStore) -> None:
    store.finish(REQUEST, b"sealed")

    with ClaimStore(path) as reopened:
        assert reopened.look(REQUEST, now_s=NOW_S) == Done(b"sealed")


def test_the_claims_of_a_worker_that_stopped_are_open_at_once(path: Path) -> None:
    with ClaimStore(path) as first:
        first.claim(REQUEST, now_s=NOW_S)

    with ClaimStore(path) as second:
        assert second.claim(REQUEST, now_s=NOW_S) == New()


def test_the_claims_of_a_worker_that_runs_on_the_same_file_stay(
    path: Path, store: ClaimStore
) -> None:
    store.claim(REQUEST, now_s=NOW_S)

    with ClaimStore(path) as second:
        assert second.claim(REQUEST, now_s=NOW_S) == Working()


_KILLED = """
import sys, time
from pathlib import Path
from uuid import UUID
from cloud_worker.store import ClaimStore, Request
with ClaimStore(Path(sys.argv[1])) as store:
    store.claim(Request("board-1", UUID(int=1), b"d" * 32, 1100.0), now_s=1000.0)
    store.finish(Request("board-1", UUID(int=2), b"d" * 32, 1100.0), b"sealed")
    print("claimed", flush=True)
    time.sleep(60)
"""


def test_a_killed_worker_leaves_its_replies_stored_and_its_claims_open(path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=with_our_path()) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"claimed\n"
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    with ClaimStore(path) as store:
        assert store.look(REQUEST, now_s=NOW_S) == New()
        done = replace(REQUEST, ticket=UUID(int=2))
        assert store.look(done, now_s=NOW_S) == Done(b"sealed")


def with_our_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


def test_a_file_that_is_no_store_is_refused_with_what_to_do(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)

    with pytest.raises(ClaimStoreError, match="Move the file away"):
        ClaimStore(path)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClaimStoreError, match="Move the file away"):
        ClaimStore(tmp_path / "missing" / "claims.db")


def test_a_disk_that_takes_no_more_is_told(path: Path, store: ClaimStore) -> None:
    store.claim(REQUEST, now_s=NOW_S)
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE claims")
    other.close()

    with pytest.raises(ClaimStoreError, match="cannot be written"):
        store.claim(REQUEST, now_s=NOW_S)
    with pytest.raises(ClaimStoreError, match="cannot be read"):
        store.look(REQUEST, now_s=NOW_S)
