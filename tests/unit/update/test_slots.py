"""The slots: what runs after whatever happened."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.update.slots import FILE, SlotStore
from tests.unit.update.packages import QUICK, installed, named

Step = Callable[[SlotStore], object]


@pytest.fixture
def store(tmp_path: Path) -> SlotStore:
    return SlotStore(tmp_path / "updates")


def runs(store: SlotStore) -> list[int]:
    """The candidates that the next start would find, by their releases."""
    return [each.release for each in SlotStore(store.folder).of("commands").candidates]


def test_nothing_is_installed_at_first(store: SlotStore) -> None:
    assert (runs(store), store.lost) == ([], False)


def test_a_trial_runs_before_the_package_that_it_would_replace(store: SlotStore) -> None:
    store.begin(installed(1), QUICK)
    store.accept("commands")
    store.begin(installed(2), QUICK)

    assert runs(store) == [2, 1]


def test_what_is_accepted_keeps_the_one_before_it(store: SlotStore) -> None:
    for number in (1, 2, 3):
        store.begin(installed(number), QUICK)
        store.accept("commands")

    assert runs(store) == [3, 2]


def test_a_rejected_package_is_quarantined_and_the_one_before_it_runs(store: SlotStore) -> None:
    store.begin(installed(1), QUICK)
    store.accept("commands")
    store.begin(installed(2), QUICK)
    store.reject("commands", "too slow")

    assert runs(store) == [1]
    assert SlotStore(store.folder).badness(named(2)) == "too slow"


def test_a_withdrawn_trial_leaves_nothing_against_its_package(store: SlotStore) -> None:
    store.begin(installed(2), QUICK)
    store.withdraw("commands")

    assert (runs(store), store.badness(named(2))) == ([], "")


def test_a_newer_package_takes_the_place_of_one_on_trial(store: SlotStore) -> None:
    store.begin(installed(1), QUICK)
    store.begin(installed(2), QUICK)

    assert (runs(store), store.badness(named(1))) == ([2], "")


def test_a_trial_may_take_so_many_starts_and_no_more(store: SlotStore) -> None:
    store.begin(installed(1), QUICK)

    ended = [SlotStore(store.folder).started() for _ in range(QUICK.restarts + 1)]

    assert ended[:-1] == [{}] * QUICK.restarts
    assert ended[-1] == {"commands": "the agent was started 3 times in its trial"}
    assert runs(store) == []


def test_a_start_that_cannot_be_noted_does_not_run_the_trial(store: SlotStore) -> None:
    store.begin(installed(1), QUICK)
    store.folder.rename(store.folder.with_name("gone"))

    ended = store.started()

    assert list(ended) == ["commands"]
    assert store.of("commands").candidates == ()


def test_a_current_package_that_cannot_run_makes_way_for_the_one_before_it(
    store: SlotStore,
) -> None:
    for number in (1, 2):
        store.begin(installed(number), QUICK)
        store.accept("commands")
    store.drop("commands", named(2), "a file is missing")
    store.drop("commands", named(1), "a file is missing")

    assert runs(store) == []
    assert store.badness(named(2)) == store.badness(named(1)) == "a file is missing"


def test_a_self_test_that_ends_the_agent_again_and_again_is_not_begun_a_fourth_time(
    store: SlotStore,
) -> None:
    begun = [SlotStore(store.folder).attempt(named(1)) for _ in range(4)]

    assert begun == [True, True, True, False]
    assert "ended 3 times" in SlotStore(store.folder).badness(named(1))


def test_a_self_test_that_ends_is_held_against_nobody(store: SlotStore) -> None:
    for _ in range(5):
        assert store.attempt(named(1))
        store.forgive(named(1))


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b'{"packages": 1}', b"{", b"[" * 9000])
def test_a_file_that_cannot_be_read_leaves_the_factory_and_is_told(
    store: SlotStore, content: bytes
) -> None:
    store.begin(installed(1), QUICK)
    (store.folder / FILE).write_bytes(content)

    again = SlotStore(store.folder)

    assert (again.lost, again.of("commands").candidates) == (True, ())


STEPS: dict[str, tuple[Step, set[tuple[int, ...]]]] = {
    "attempt": (lambda store: store.attempt(named(2)), {(1,)}),
    "begin": (lambda store: store.begin(installed(2), QUICK), {(1,), (2, 1)}),
    "accept": (lambda store: store.accept("commands"), {(3, 1)}),
    "reject": (lambda store: store.reject("commands", "slow"), {(3, 1), (1,)}),
    "started": (lambda store: store.started(), {(3, 1)}),
}


@pytest.mark.parametrize("name", STEPS)
def test_killed_at_any_moment_of_a_step_the_old_or_the_new_package_runs(
    store: SlotStore, name: str
) -> None:
    step, allowed = STEPS[name]
    store.begin(installed(1), QUICK)
    store.accept("commands")
    if name not in ("attempt", "begin"):
        store.begin(installed(3), QUICK)
    before = (store.folder / FILE).read_bytes()
    found, killed_at = set(), 1
    while not _lived_through(store.folder, step, killed_at):
        found.add(tuple(runs(store)))
        (store.folder / FILE).write_bytes(before)
        killed_at += 1
    found.add(tuple(runs(store)))

    assert killed_at > 2
    assert found <= allowed


def _lived_through(folder: Path, step: Step, number: int) -> bool:
    """Take a step in a copy of this process that dies before its n-th call to the system.

    True: it had fewer.
    """
    pid = os.fork()
    if pid == 0:
        store, calls = SlotStore(folder), 0

        def counted(event: str, _arguments: tuple[object, ...]) -> None:
            nonlocal calls
            if event in ("open", "os.rename", "os.remove", "tempfile.mkstemp"):
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        import sys  # noqa: PLC0415 - the hook is the copy's alone

        sys.addaudithook(counted)
        step(store)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("how", ["reject", "withdraw", "drop"])
def test_what_fails_does_not_run_on_because_the_disk_is_full(store: SlotStore, how: str) -> None:
    store.begin(installed(1), QUICK)
    if how == "drop":
        store.accept("commands")
    ways: dict[str, Step] = {
        "reject": lambda store: store.reject("commands", "slow"),
        "withdraw": lambda store: store.withdraw("commands"),
        "drop": lambda store: store.drop("commands", named(1), "damaged"),
    }
    gone = store.folder.rename(store.folder.with_name("gone"))
    with pytest.raises(OSError, match="No such file"):
        ways[how](store)

    assert store.of("commands").candidates == ()

    gone.rename(store.folder)
    assert runs(store) == [1]
    store.flush()
    assert runs(store) == []
