"""`firstline fleet release` and `fleet rollout` as a person types them, against a real broker."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.update.line import Line
from broker.fleet.keys import init
from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.fleet.releases.audit import FILE
from broker.fleet.root import open_root
from broker.wire.release import PackagePlan, digest
from broker.wire.roster import Enrolled, Roster
from firstline import cli
from firstline.bench.update_line import session_line
from firstline.exits import ExitCode
from firstline.shipped import MODELS
from tests.releases import FLEET, Board, address_of

pytestmark = pytest.mark.broker

SHIPPED = MODELS / "snapshot-small"
NAME = "snapshot-small"
WORDS = "open sesame"


@dataclass
class Desk:
    """Where the operator types."""

    folder: Path
    broker: RunningBroker
    read: Callable[[], str]

    @property
    def fleet(self) -> Path:
        return self.folder / "fleet"

    def type(self, *words: object, code: int = ExitCode.OK, plain: bool = True) -> dict[str, Any]:
        """Give a command; what it says as JSON."""
        place = ("--plain", f"{LOOPBACK}:{self.broker.port}") if plain else ()
        command = ("fleet", *words, "--dir", self.fleet, *place, "--json")
        self.read()
        assert cli.main([str(word) for word in command]) == code
        told: dict[str, Any] = json.loads(self.read())
        return told

    def package(self, version: str = "1.0.0", name: str = "package", *, more: bytes = b"") -> Path:
        """A package of some version; `more` goes behind its weights."""
        made = self.folder / name
        shutil.copytree(SHIPPED, made, dirs_exist_ok=True)
        text = (made / "package.toml").read_text()
        (made / "package.toml").write_text(
            text.replace('version = "1.0.0"', f'version = "{version}"')
        )
        if more:
            (made / "README.md").write_bytes(more)
        return made

    def plan_at_a_board(self, group: str = "all") -> PackagePlan:
        """What a board that knows nothing yet would take."""
        state = self.folder / f"state-{group}-{len(list(self.folder.iterdir()))}"
        state.mkdir()
        board = Board(state, self.fleet, clock_s=time.time(), made_s=0.0)
        with session_line(address_of(self.broker, "board-9")) as line:
            return _chosen(board, line, group)


def _chosen(board: Board, line: Line, group: str) -> PackagePlan:
    with board.trusting(line) as trust:
        trust.refresh()
        rollout = trust.rollout(group, NAME)
        assert rollout is not None
        return trust.plan(rollout.choices[0], group=group, package=NAME)


@pytest.fixture
def desk(
    tmp_path: Path,
    broker: RunningBroker,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.delenv("FIRSTLINE_PASSPHRASE", raising=False)
    monkeypatch.setattr("broker.fleet.passphrase.SCRYPT_N", 2**10)
    made = Desk(tmp_path, broker, lambda: capsys.readouterr().out)
    (tmp_path / "words").write_text(WORDS)
    init(made.fleet, FLEET, passphrase=WORDS)
    devices = {"board-1": Enrolled(keys=("0" * 64,))}
    root = open_root(made.fleet, WORDS)
    root.write_roster(Roster(fleet=FLEET, version=2, devices=devices))
    return made


def released(desk: Desk, folder: Path, *more: object) -> dict[str, Any]:
    return desk.type("release", folder, "--passphrase-file", desk.folder / "words", *more)


def test_a_release_is_at_the_broker_when_the_command_is_done(desk: Desk) -> None:
    told = released(desk, desk.package(), "--waves", "1,100", "--hours", "22:00-05:00")

    plan = desk.plan_at_a_board()
    assert (plan.package, plan.version, plan.variant) == (NAME, "1.0.0", "main")
    assert {each.name for each in plan.files} == {path.name for path in SHIPPED.iterdir()}
    assert (told["release"], told["percent"], told["waves"]) == (1, 1.0, [1.0, 100.0])
    assert told["plans"] == {f"{NAME}/1.0.0/main.json": digest(plan.write())}


def test_what_was_vouched_for_once_needs_no_passphrase_again(desk: Desk) -> None:
    folder = desk.package()
    first = released(desk, folder, "--group", "canary")

    again = desk.type("release", folder)

    assert again["plans"] == first["plans"]
    assert (again["release"], again["group"]) == (2, "all")
    assert desk.plan_at_a_board("all") == desk.plan_at_a_board("canary")


def test_other_content_under_the_same_version_is_refused(desk: Desk) -> None:
    released(desk, desk.package())

    told = desk.type("release", desk.package(more=b"other"), code=ExitCode.FAILURE)

    assert "give this one a new version" in str(told["error"])


def test_a_release_needs_the_passphrase_and_says_so(desk: Desk) -> None:
    told = desk.type("release", desk.package(), code=ExitCode.USAGE)

    assert "no passphrase" in str(told["error"])


def test_a_later_version_comes_as_a_patch_and_going_back_is_a_release_of_the_older(
    desk: Desk,
) -> None:
    long = bytes(range(256)) * 4096
    older = desk.package("1.0.0", "older", more=long)
    released(desk, older)
    released(desk, desk.package("1.1.0", "newer", more=long + b"!"))
    patched = desk.plan_at_a_board()

    back = desk.type("release", older)

    (file,) = (each for each in patched.files if each.name == "README.md")
    assert file.deltas[0].patch.length < file.content.length / 10
    assert back["release"] == 3
    assert desk.plan_at_a_board().version == "1.0.0"


def test_variants_are_offered_in_the_order_in_which_they_were_typed(desk: Desk) -> None:
    best, small = desk.package(name="q8"), desk.package(name="q4", more=b"smaller")
    need = ("--need", "q8:cores=4", "--need", "q8:cpu=avx2,fma")

    told = released(desk, best, small, *need)

    assert list(told["plans"]) == [f"{NAME}/1.0.0/q8.json", f"{NAME}/1.0.0/q4.json"]
    assert desk.plan_at_a_board().needs.cores == 4
    assert desk.plan_at_a_board().needs.cpu == ("avx2", "fma")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--waves", "10,5"), "rising percentages"),
        (("--waves", "10", "--percent", "5"), "--percent or --waves"),
        (("--wave-wait", "soon"), "a span of time"),
        (("--hours", "25:00-26:00"), "hours are such as"),
        (("--need", "q8:wings=2"), "a need is such as"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_signed(
    desk: Desk, wrong: tuple[str, ...], says: str
) -> None:
    told = desk.type("release", desk.package(), *wrong, code=ExitCode.USAGE)

    assert says in str(told["error"])
    assert not (desk.fleet / "releases").exists()


def test_a_release_is_paused_resumed_and_aborted_by_its_name(desk: Desk) -> None:
    released(desk, desk.package())

    states = [
        desk.type("rollout", *words)["state"]
        for words in (("pause", NAME, "--why", "tea"), ("resume",), ("abort", "--group", "all"))
    ]
    again = desk.type("rollout", "resume", code=ExitCode.FAILURE)
    status = desk.type("rollout", "status", "--wait-s", "0.1")

    assert states == ["paused", "running", "aborted"]
    assert "aborted for ever" in str(again["error"])
    assert [each["state"] for each in status["releases"]] == ["aborted"]


def test_the_history_says_who_did_what_and_where_it_was_altered(desk: Desk) -> None:
    released(desk, desk.package())
    desk.type("rollout", "pause", "--why", "tea")
    whole = desk.type("rollout", "history", plain=False)
    log = desk.fleet / "releases" / FILE
    log.write_bytes(log.read_bytes().replace(b'"release"', b'"abort"', 1))

    altered = desk.type("rollout", "history", plain=False, code=ExitCode.KEYS)

    assert [(each["what"], each["words"]) for each in whole["entries"]] == [
        ("release", "1.0.0, wave 1 of 1, 100 %"),
        ("pause", "tea"),
    ]
    assert whole["altered"] == []
    assert [each["line"] for each in altered["altered"]] == [1]
