"""The log of what was done to releases: what was altered shows, and where."""

from pathlib import Path

import pytest

from broker.fleet.releases.audit import FILE, AuditLog, Damage, Deed

PAUSE = Deed(
    who="eve@desk", what="pause", group="all", package="demo", release=3, words="too many calls"
)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path)


def lines(folder: Path) -> list[str]:
    return (folder / FILE).read_text().splitlines()


def rewrite(folder: Path, content: list[str]) -> None:
    (folder / FILE).write_text("".join(f"{line}\n" for line in content))


def test_what_was_done_is_read_again(log: AuditLog) -> None:
    heads = [log.append(PAUSE, now_s=float(at)) for at in (10, 20)]

    history = log.read({"release 3": heads[1], "release 2": heads[0], "release 1": ""})

    assert [(each.number, each.at_s, each.who) for each in history.entries] == [
        (1, 10.0, "eve@desk"),
        (2, 20.0, "eve@desk"),
    ]
    assert history.damages == ()


def test_a_log_that_nobody_has_written_yet_is_empty(log: AuditLog) -> None:
    assert log.read({}).entries == ()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("altered", Damage(2, "line 2 is not as it was when line 3 was written")),
        ("taken out", Damage(2, "it says that it is number 3: lines came or went")),
        ("put in twice", Damage(3, "it says that it is number 2: lines came or went")),
        ("noise", Damage(2, "it is no entry")),
        ("first taken out", Damage(1, "it says that it is number 2: lines came or went")),
    ],
)
def test_what_was_changed_shows_and_where(
    log: AuditLog, tmp_path: Path, name: str, damage: Damage
) -> None:
    for at in range(4):
        log.append(PAUSE, now_s=float(at))
    one, two, three, four = lines(tmp_path)
    changed = {
        "altered": [one, two.replace("eve", "bob"), three, four],
        "taken out": [one, three, four],
        "put in twice": [one, two, two, three, four],
        "noise": [one, "x", three, four],
        "first taken out": [two, three, four],
    }
    rewrite(tmp_path, changed[name])

    assert damage in log.read({}).damages


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_log_that_was_cut_short_shows_by_what_was_signed(
    log: AuditLog, tmp_path: Path, left: int
) -> None:
    head = [log.append(PAUSE, now_s=float(at)) for at in range(3)][-1]
    rewrite(tmp_path, lines(tmp_path)[:left])

    (damage,) = log.read({"release 3 of demo": head}).damages

    assert damage.line == left
    assert damage.why == "release 3 of demo was signed with a log that went on in another way"


def test_a_log_written_anew_as_a_whole_shows_by_what_was_signed(
    log: AuditLog, tmp_path: Path
) -> None:
    head = [log.append(PAUSE, now_s=float(at)) for at in range(3)][-1]
    (tmp_path / FILE).unlink()
    for at in range(3):
        log.append(PAUSE, now_s=at + 0.5)

    assert [damage.line for damage in log.read({"release 3": head}).damages] == [3]


def test_what_a_power_cut_left_of_a_line_is_no_entry_and_the_log_goes_on(
    log: AuditLog, tmp_path: Path
) -> None:
    log.append(PAUSE, now_s=1.0)
    with (tmp_path / FILE).open("a") as file:
        file.write('{"number":2,"words":"' + 2000 * "x")  # longer than what comes after it

    log.append(PAUSE, now_s=2.0)

    history = log.read({})
    assert [each.at_s for each in history.entries] == [1.0, 2.0]
    assert history.damages == ()
    assert len(lines(tmp_path)) == 2


def test_nobody_but_the_owner_can_read_it(log: AuditLog, tmp_path: Path) -> None:
    log.append(PAUSE, now_s=1.0)

    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
