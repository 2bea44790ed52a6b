"""`firstline fleet signing`: who signs releases, from the command line."""

import json
from pathlib import Path

import pytest

from broker.fleet import passphrase
from broker.fleet.releases.metadata import LIFE_S, dump
from broker.fleet.releases.repository import Repository
from broker.fleet.root import read_public
from broker.wire.signed import open_signed
from broker.wire.vouched import ROOT_FILE, ROOT_LABEL
from firstline import cli
from firstline.exits import ExitCode
from tests.releases import make_repository

PHRASE = "correct horse"


@pytest.fixture(autouse=True)
def _cheap_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "SCRYPT_N", 2**10)
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", PHRASE)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "fleet")


def signing(*words: str) -> int:
    return cli.main(["fleet", "signing", *words])


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """What a command says, as JSON."""
    capsys.readouterr()
    assert signing(*words, "--json") == ExitCode.OK
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_every_role_is_told_with_its_end(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert signing("status", "--dir", str(repository.fleet)) == ExitCode.OK

    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["ROLE", "VERSION", "HOLDS", "UNTIL", "SIGNED", "BY", "KEYS", "HERE"]
    assert [row.split()[0] for row in rows] == list(LIFE_S)


def test_all_online_keys_are_changed_at_once(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    document = told(capsys, "rotate", "online", "--dir", str(repository.fleet))

    steps = document["steps"]
    assert isinstance(steps, list)
    assert [step["role"] for step in steps] == ["root", "root", "targets"]
    assert len(list((repository.shelf.folder / "online").iterdir())) == 6
    assert document["next"] == f"firstline fleet publish --dir {repository.fleet}"


def test_what_is_signed_offline_holds_longer_once_it_is_renewed(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    document = told(capsys, "renew", "--dir", str(repository.fleet))

    assert isinstance(document["steps"], list)
    assert [step["version"] for step in document["steps"]] == [2, 2]


def test_two_people_of_three_sign_from_the_command_line(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, people = str(repository.fleet), {}
    for name in ("anna", "ben", "cleo"):
        people[name] = told(capsys, "key", name, "--to", str(tmp_path / name))
    publics = [str(each["public"]) for each in people.values()]

    begun = told(capsys, "share", "targets", *publics, "--threshold", "2", "--dir", fleet)
    waiting = told(capsys, "status", "--dir", fleet)["drafts"]
    assert isinstance(begun["steps"], list)
    assert isinstance(waiting, list)
    draft = begun["steps"][0]["draft"]
    signed = [
        told(capsys, "sign", draft, "--key", str(people[name]["key"]))["signatures"]
        for name in ("anna", "cleo")
    ]
    done = told(capsys, "adopt", draft, "--dir", fleet)

    assert begun["next"] is None
    assert [(each["role"], each["missing"]) for each in waiting] == [("root", 0), ("targets", 2)]
    assert signed == [1, 2]
    assert isinstance(done["steps"], list)
    assert done["steps"][0]["missing"] == 0
    assert told(capsys, "status", "--dir", fleet)["drafts"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rotate", "mirror"), ExitCode.FAILURE),
        (("share", "root", "anna", "--threshold", "1"), ExitCode.FAILURE),
        (("adopt", "nothing.json"), ExitCode.FAILURE),
    ],
)
def test_what_cannot_be_done_is_told_and_has_a_code(
    repository: Repository, words: tuple[str, ...], code: ExitCode
) -> None:
    assert signing(*words, "--dir", str(repository.fleet)) == code


def test_a_key_opens_with_its_persons_passphrase_alone(
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    anna = told(capsys, "key", "anna", "--to", str(tmp_path / "anna"))
    step = told(
        capsys,
        *("share", "root", str(anna["public"]), "--threshold", "1"),
        *("--dir", str(repository.fleet)),
    )
    assert isinstance(step["steps"], list)
    monkeypatch.setenv("FIRSTLINE_PASSPHRASE", "another one")

    code = signing("sign", step["steps"][0]["draft"], "--key", str(anna["key"]))

    assert code == ExitCode.KEYS


@pytest.mark.parametrize("words", [("rotate", "root"), ("rotate", "online"), ("renew",)])
def test_a_board_that_comes_later_begins_with_the_newest_root(
    repository: Repository, words: tuple[str, ...]
) -> None:
    assert signing(*words, "--dir", str(repository.fleet)) == ExitCode.OK

    wrapped = (repository.shelf.folder / "metadata" / ROOT_FILE).read_bytes()
    begun = open_signed(ROOT_LABEL, wrapped, read_public(repository.fleet)).encode()
    assert begun == dump(repository.shelf.root())
