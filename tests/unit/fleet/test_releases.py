"""The operator's side of signed releases: versions, dates, what is refused before it is signed."""

import stat
from pathlib import Path

import pytest

from broker.fleet.errors import FleetError, FleetExistsError, NotAFleetError, PassphraseError
from broker.fleet.keys import init
from broker.fleet.releases.messages import messages, over
from broker.fleet.releases.metadata import LIFE_S, signed_s
from broker.fleet.releases.repository import Repository
from broker.fleet.root import open_root
from broker.wire.topics import parse_release_metadata
from broker.wire.vouched import ROLLOUT, plan_path
from tests.releases import DAY_S, FLEET, GROUP, NOW_S, PACKAGE, a_plan, a_rollout, make_repository

PASSPHRASE = "a quite long one"  # noqa: S105 - of a fleet that is gone a second later


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "fleet")


def vouch(repository: Repository, *versions: str, now_s: float = NOW_S) -> None:
    plans = [a_plan(version) for version in versions]
    data = {plan_path(plan): plan.write() for plan in plans}
    repository.vouch(data, passphrase=None, now_s=now_s)


def test_a_change_raises_the_versions_of_what_it_changes_and_of_what_pins_it(
    repository: Repository,
) -> None:
    vouch(repository, "1.0.0")
    repository.choose(GROUP, PACKAGE, a_rollout(1, a_plan()), now_s=NOW_S)

    shelf = repository.shelf
    assert shelf.root().signed.version == 1
    assert shelf.targets().signed.version == 2
    assert shelf.rollouts().signed.version == 2
    assert shelf.snapshot().signed.version == 3
    assert shelf.timestamp().signed.version == 3


def test_releases_begin_once(repository: Repository) -> None:
    with pytest.raises(FleetExistsError, match="has releases already"):
        repository.begin(open_root(repository.fleet), now_s=NOW_S)


def test_a_beginning_that_was_cut_short_is_simply_given_again(repository: Repository) -> None:
    (repository.shelf.folder / "metadata" / "root.signed").unlink()

    repository.begin(open_root(repository.fleet), now_s=NOW_S)

    vouch(repository, "1.0.0")
    assert repository.shelf.targets().signed.version == 2


def test_a_folder_without_releases_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotAFleetError, match="There are no releases yet"):
        Repository(tmp_path).shelf.targets()


def test_offline_keys_are_locked_and_online_keys_are_not(tmp_path: Path) -> None:
    init(tmp_path, FLEET, passphrase=PASSPHRASE)
    repository = Repository(tmp_path)
    repository.begin(open_root(tmp_path, PASSPHRASE), now_s=NOW_S)

    repository.refresh(now_s=NOW_S)
    with pytest.raises(PassphraseError, match="locked"):
        vouch(repository, "1.0.0")
    keys = sorted((tmp_path / "releases").glob("*/*.key"))
    assert len(keys) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    told = {path.name.partition("-")[0] for path in keys if path.read_bytes().startswith(b"{")}
    assert told == {"root", "targets"}


def test_a_timestamp_says_when_it_was_signed_and_never_an_earlier_time(
    repository: Repository,
) -> None:
    repository.refresh(now_s=NOW_S + 100)
    repository.refresh(now_s=NOW_S - DAY_S)

    timestamp = repository.shelf.timestamp()
    assert signed_s(timestamp) == NOW_S + 100
    assert timestamp.signed.expires.timestamp() == NOW_S + 100 + LIFE_S["timestamp"]


def test_rollouts_are_signed_again_before_they_expire(repository: Repository) -> None:
    repository.refresh(now_s=NOW_S + LIFE_S[ROLLOUT] / 2 - 1)
    before = repository.shelf.rollouts().signed.version
    repository.refresh(now_s=NOW_S + LIFE_S[ROLLOUT] / 2 + 1)

    assert (before, repository.shelf.rollouts().signed.version) == (1, 2)


def test_offline_metadata_is_signed_again_with_a_later_end(repository: Repository) -> None:
    repository.sign_again(passphrase=None, now_s=NOW_S + DAY_S)

    root, targets = repository.shelf.root().signed, repository.shelf.targets().signed
    assert (root.version, targets.version) == (2, 2)
    assert root.expires.timestamp() == NOW_S + DAY_S + LIFE_S["root"]
    assert targets.expires.timestamp() == NOW_S + DAY_S + LIFE_S["targets"]


def test_a_rollout_of_a_number_that_was_used_is_refused(repository: Repository) -> None:
    vouch(repository, "1.0.0")
    repository.choose(GROUP, PACKAGE, a_rollout(2, a_plan()), now_s=NOW_S)

    for number in (1, 2):
        with pytest.raises(FleetError, match=f"rollout {number} .* comes after 2"):
            repository.choose(GROUP, PACKAGE, a_rollout(number, a_plan()), now_s=NOW_S)


def test_a_rollout_of_what_nobody_vouches_for_is_refused(repository: Repository) -> None:
    with pytest.raises(FleetError, match="nobody vouches for it"):
        repository.choose(GROUP, PACKAGE, a_rollout(1, a_plan()), now_s=NOW_S)


def test_a_plan_that_was_withdrawn_is_vouched_for_no_longer(repository: Repository) -> None:
    vouch(repository, "1.0.0", "2.0.0")

    repository.vouch({}, gone=[plan_path(a_plan())], passphrase=None, now_s=NOW_S)

    assert list(repository.shelf.targets().signed.targets) == [plan_path(a_plan("2.0.0"))]


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        ("lights/1.0.0/q8.json", b"{}", "not a plan"),
        ("lights/2.0.0/q8.json", a_plan("1.0.0").write(), "not the path of lights/1.0.0/q8.json"),
    ],
)
def test_what_is_no_plan_of_its_path_is_not_signed(
    repository: Repository, path: str, data: bytes, why: str
) -> None:
    with pytest.raises(FleetError, match=why):
        repository.vouch({path: data}, passphrase=None, now_s=NOW_S)


def test_the_timestamp_comes_to_the_broker_last(repository: Repository) -> None:
    vouch(repository, "1.0.0")

    names = [parse_release_metadata(each.topic) for each in messages(repository.shelf, FLEET)]

    assert names == [
        ("root.signed", 0),
        ("1.root.json", 0),
        ("2.targets.json", 0),
        ("1.rollout.json", 0),
        ("2.snapshot.json", 0),
        ("timestamp.json", 0),
    ]


def test_what_is_older_than_the_version_before_is_taken_from_the_broker(
    repository: Repository,
) -> None:
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        vouch(repository, version)

    gone = list(over(repository.shelf, FLEET))
    repository.shelf.forget(repository.shelf.superseded())

    assert {each.payload for each in gone} == {b""}
    assert [parse_release_metadata(each.topic) for each in gone] == [
        ("1.targets.json", 0),
        ("2.targets.json", 0),
        ("1.snapshot.json", 0),
        ("2.snapshot.json", 0),
    ]
    assert list(over(repository.shelf, FLEET)) == []
    assert len(list(messages(repository.shelf, FLEET))) == 6


def test_releases_are_dated_anew_once_a_day(repository: Repository) -> None:
    days = [0.5, 1.0, 1.5, 2.0]

    done = [repository.freshen(now_s=NOW_S + day * DAY_S) for day in days]

    assert done == [False, True, False, True]
