"""`firstline agent run` and `firstline worker run` with shipped models, as an operator has them."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.fleet.mosquitto import RunningBroker, running_broker
from firstline.bench.programs import Program
from tests.acceptance.stage import Answer, until
from tests.asker import make_fleet

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]
WITHIN_S = 60.0
AGENT = """\
[agent]
credentials = "keys"
state = "state"
resend_s = 0.5

[broker]
port = {port}

[models.commands]
package = "commands-small"
timeout_s = 30.0

[[tasks]]
name = "home"
model = "commands"
domain = "home"
max_error = 1.0
input = {{ kind = "folder", path = "inbox" }}
output = {{ kind = "folder", path = "answers" }}
"""
WORKER = """\
[worker]
credentials = "keys"
state = "state"

[broker]
port = {port}

[[engines]]
package = "commands-large"
"""
SETTINGS = {"agent": AGENT, "worker": WORKER}
TEXT = "send an email to bob@example.org"
ANSWER = "email_sendemail bob@example.org"


@dataclass(slots=True)
class House:
    """A board and a cloud, in folders."""

    folder: Path
    agent: Program
    worker: Program

    @property
    def settings(self) -> Path:
        return self.folder / "agent" / "agent.toml"

    def log(self) -> str:
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def ask(self, name: str, data: bytes = TEXT.encode()) -> None:
        begun = self.folder / f"{name}.part"
        begun.write_bytes(data)
        begun.rename(self.folder / "agent" / "inbox" / name)

    def answer(self, name: str) -> Answer:
        """The answer to a question, when it comes."""
        found: list[Answer] = []

        def look() -> bool:
            for path in (self.folder / "agent" / "answers").glob("*.json"):
                answer = json.loads(path.read_text(encoding="utf-8"))
                if answer["source"] == name:
                    found.append(answer)
            return bool(found)

        until(look, WITHIN_S)
        return found[0]

    def edit(self, old: str, new: str) -> None:
        """Edit the settings as editors do: another file takes the old one's name."""
        text = self.settings.read_text(encoding="utf-8")
        assert old in text
        edited = self.settings.with_suffix(".new")
        edited.write_text(text.replace(old, new), encoding="utf-8")
        edited.rename(self.settings)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def house(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Both services run, for all tests of this module."""
    folder = tmp_path_factory.mktemp("house")
    fleet = make_fleet(folder / "fleet")
    fleet.enroll("board-1")
    processes: dict[str, Program] = {}
    keys = {"agent": folder / "fleet/devices/board-1", "worker": fleet.worker_folder}
    for role, text in SETTINGS.items():
        (folder / role).mkdir()
        (folder / role / "keys").symlink_to(keys[role])
        settings = folder / role / f"{role}.toml"
        settings.write_text(text.format(port=broker.port), encoding="utf-8")
        arguments = ("firstline", role, "run", "--settings", str(settings))
        processes[role] = Program(folder / f"{role}.log", *arguments)
    (folder / "agent" / "inbox").mkdir()
    house = House(folder, processes["agent"], processes["worker"])
    house.worker.start()
    house.agent.start()
    try:
        yield house
    finally:
        house.agent.kill()
        house.worker.kill()


def test_a_sure_answer_is_given_on_the_device(house: House) -> None:
    house.ask("local.txt")

    answer = house.answer("local.txt")
    assert (answer["origin"], answer["answer"]) == ("device", ANSWER)
    assert str(answer["model"]).startswith("commands-small")


BAD = {
    "empty": (b"", "empty"),
    "10 MB": (b"lights " * 1_500_000, "bytes"),
    "binary": (b"\x7fELF\x00\x01\x02", "binary"),
    "another encoding": ("grüße".encode("latin-1"), "not UTF-8"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_moved_aside_with_its_reason(house: House, data: bytes, reason: str) -> None:
    house.ask("bad.txt", data)

    rejected = house.folder / "agent" / "inbox" / "rejected"
    until((rejected / "bad.txt").exists, WITHIN_S)
    assert reason in (rejected / "bad.txt.reason").read_text(encoding="utf-8")
    assert (rejected / "bad.txt").read_bytes() == data
    (rejected / "bad.txt").unlink()


def test_a_killed_engine_costs_nothing_but_time(house: House) -> None:
    engines = [pid for pid in children(house) if b"agent.models.child" in command(pid)]
    assert len(engines) == 1

    os.kill(engines[0], signal.SIGKILL)
    house.ask("after-kill.txt")
    house.ask("after-that.txt")

    assert house.answer("after-kill.txt")["answer"] == ANSWER
    assert house.answer("after-that.txt")["answer"] == ANSWER


def test_a_bad_edit_is_told_and_keeps_the_last_good_settings(house: House) -> None:
    house.edit("max_error = 1.0", "max_eror = 0.0")

    until(lambda: "did you mean 'max_error'?" in house.log(), WITHIN_S)
    assert "agent.toml:17" in house.log()
    house.ask("after-bad-edit.txt")
    assert house.answer("after-bad-edit.txt")["origin"] == "device"
    house.edit("max_eror = 0.0", "max_error = 1.0")


def test_a_good_edit_takes_effect_and_the_cloud_answers(house: House) -> None:
    house.edit("max_error = 1.0", "max_error = 0.0")
    house.ask("edited.txt")
    answer = house.answer("edited.txt")
    for number in range(50):  # until the edit has been noticed
        if answer["origin"] == "cloud":
            break
        house.ask(f"edited-{number}.txt")
        answer = house.answer(f"edited-{number}.txt")

    assert (answer["origin"], answer["answer"]) == ("cloud", ANSWER)
    assert str(answer["model"]).startswith("commands-large")


def test_both_stop_when_they_are_asked_to(house: House) -> None:
    assert (house.agent.stop(), house.worker.stop()) == (0, 0)


def children(house: House) -> list[int]:
    """The processes that the agent has started."""
    agent = house.agent.pid
    return [int(pid) for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
