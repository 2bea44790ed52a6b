"""Other keys for each role, and people who sign together."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from securesystemslib.signer import Key
from tuf.api.exceptions import UnsignedMetadataError

from broker.fleet.errors import FleetError, NotAFleetError, PassphraseError
from broker.fleet.releases.keys import key_path, make_key, open_key, public_key, show_public
from broker.fleet.releases.metadata import ROLES
from broker.fleet.releases.press import Step
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.rotation import adopt, rotate, share
from broker.fleet.releases.signing import keys_of, sign_file
from broker.wire.vouched import ROLLOUT, plan_path
from tests.releases import NOW_S, a_plan, make_repository

PEOPLE = ("anna", "ben", "cleo")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "fleet")


def check(repository: Repository) -> None:
    """Everything is signed by whoever may sign it now."""
    shelf = repository.shelf
    root, targets = shelf.root().signed, shelf.targets()
    root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    snapshot, timestamp = shelf.snapshot(), shelf.timestamp()
    root.verify_delegate("snapshot", snapshot.signed_bytes, snapshot.signatures)
    root.verify_delegate("timestamp", timestamp.signed_bytes, timestamp.signatures)
    rollouts = shelf.rollouts()
    targets.signed.verify_delegate(ROLLOUT, rollouts.signed_bytes, rollouts.signatures)


def make_people(folder: Path) -> dict[str, Key]:
    """Keys of three people, each in a folder of its own."""
    return {name: make_key(folder / name, name) for name in PEOPLE}


def signed_by(folder: Path, step: Step, people: dict[str, Key], names: Sequence[str]) -> Path:
    """A draft with the signatures of some."""
    assert step.draft is not None
    for name in names:
        sign_file(step.draft, key_path(folder / name, name, people[name]))
    return step.draft


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_a_new_key_and_everything_is_signed_anew(
    repository: Repository, role: str
) -> None:
    step = rotate(repository, role, passphrase=None, now_s=NOW_S)

    check(repository)
    assert step.missing == 0
    place = "offline" if role in {"root", "targets"} else "online"
    assert len(list((repository.shelf.folder / place).glob(f"{role}-*.key"))) == 2


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_the_old_key_signs_nothing_any_more(repository: Repository, role: str) -> None:
    (old,) = keys_of(repository.shelf.root().signed, role)

    rotate(repository, role, passphrase=None, now_s=NOW_S)

    assert old.keyid not in {key.keyid for key in keys_of(repository.shelf.root().signed, role)}


def test_a_new_root_is_signed_by_the_old_key_and_by_the_new_one(repository: Repository) -> None:
    old = repository.shelf.root().signed

    rotate(repository, "root", passphrase=None, now_s=NOW_S)

    new = repository.shelf.root()
    assert set(new.signed.roles["root"].keyids).isdisjoint(old.roles["root"].keyids)
    old.verify_delegate("root", new.signed_bytes, new.signatures)
    new.signed.verify_delegate("root", new.signed_bytes, new.signatures)


def test_two_of_three_people_sign_targets_and_one_alone_does_not(
    repository: Repository, tmp_path: Path
) -> None:
    people = make_people(tmp_path)
    begun = share(repository, "targets", list(people.values()), 2, passphrase=None, now_s=NOW_S)
    check(repository)
    adopt(repository, signed_by(tmp_path, begun, people, ["anna", "ben"]), now_s=NOW_S)
    check(repository)
    plan = a_plan()

    step = repository.vouch({plan_path(plan): plan.write()}, passphrase=None, now_s=NOW_S)
    alone = adopt(repository, signed_by(tmp_path, step, people, ["anna"]), now_s=NOW_S)
    before = dict(repository.shelf.targets().signed.targets)
    both = adopt(repository, signed_by(tmp_path, step, people, ["cleo"]), now_s=NOW_S)

    assert (begun.missing, step.missing, alone.missing, both.missing) == (2, 2, 1, 0)
    assert before == {}
    assert list(repository.shelf.targets().signed.targets) == [plan_path(plan)]
    check(repository)
    assert step.draft is not None
    assert not step.draft.exists()


def test_a_root_for_people_needs_the_old_key_and_them(
    repository: Repository, tmp_path: Path
) -> None:
    people = make_people(tmp_path)

    step = share(repository, "root", list(people.values()), 2, passphrase=None, now_s=NOW_S)
    done = adopt(repository, signed_by(tmp_path, step, people, ["ben", "cleo"]), now_s=NOW_S)

    assert (step.missing, done.missing) == (2, 0)
    assert repository.shelf.root().signed.version == 2
    again = repository.sign_again(passphrase=None, now_s=NOW_S)
    assert again[0].missing == 2


def test_one_person_who_signs_twice_is_one(repository: Repository, tmp_path: Path) -> None:
    people = make_people(tmp_path)
    step = share(repository, "root", list(people.values()), 2, passphrase=None, now_s=NOW_S)

    done = adopt(repository, signed_by(tmp_path, step, people, ["ben", "ben"]), now_s=NOW_S)

    assert done.missing == 1


def test_a_draft_that_another_change_overtook_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    people = make_people(tmp_path)
    step = share(repository, "root", list(people.values()), 2, passphrase=None, now_s=NOW_S)
    draft = signed_by(tmp_path, step, people, ["ben", "cleo"])
    kept = draft.read_bytes()
    rotate(repository, "timestamp", passphrase=None, now_s=NOW_S)
    draft.write_bytes(kept)

    with pytest.raises(FleetError, match="version 2 cannot follow 2"):
        adopt(repository, draft, now_s=NOW_S)


@pytest.mark.parametrize(
    ("role", "threshold", "why"),
    [("rollout", 1, "people sign for"), ("targets", 4, "can never sign"), ("root", 0, "can never")],
)
def test_people_who_can_never_sign_are_refused(
    repository: Repository, tmp_path: Path, role: str, threshold: int, why: str
) -> None:
    keys = list(make_people(tmp_path).values())

    with pytest.raises(FleetError, match=why):
        share(repository, role, keys, threshold, passphrase=None, now_s=NOW_S)


def test_an_unknown_role_has_no_key(repository: Repository) -> None:
    with pytest.raises(FleetError, match="'mirror' is no role"):
        rotate(repository, "mirror", passphrase=None, now_s=NOW_S)


def test_a_lost_online_key_is_told_and_a_new_one_heals_it(repository: Repository) -> None:
    for path in (repository.shelf.folder / "online").glob("timestamp-*.key"):
        path.unlink()

    with pytest.raises(NotAFleetError, match="a key of 'timestamp' is missing"):
        repository.refresh(now_s=NOW_S)
    rotate(repository, "timestamp", passphrase=None, now_s=NOW_S)

    with pytest.raises(UnsignedMetadataError):
        repository.shelf.root().signed.verify_delegate("timestamp", b"another", {})
    check(repository)


def test_a_persons_key_opens_with_its_own_passphrase(tmp_path: Path) -> None:
    key = make_key(tmp_path, "anna", "her own passphrase")
    path = key_path(tmp_path, "anna", key)
    draft = tmp_path / "none.json"

    with pytest.raises(NotAFleetError, match="No such file"):
        sign_file(draft, path, "her own passphrase")
    with pytest.raises(PassphraseError):
        open_key(path, "another passphrase")


def test_a_public_key_is_told_and_read_as_text(tmp_path: Path) -> None:
    key = make_key(tmp_path, "anna")

    assert public_key(f" {show_public(key)}\n") == key
    with pytest.raises(NotAFleetError, match="64 hexadecimal digits"):
        public_key("anna")
