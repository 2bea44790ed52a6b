"""Releases in words, columns and JSON: how far each is, and each board with it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from broker.fleet.releases.courses import Course
from broker.fleet.releases.rollouts import stage
from broker.fleet.releases.standings import Board
from broker.fleet.releases.waves import Standing
from broker.wire.update_report import UpdateReport
from firstline.console import columns

HEADING = ("board", "state", "loaded", "says")
_MOST = 40  # boards that a person is shown one by one; those that need a look first


def document(course: Course, boards: Sequence[Board]) -> dict[str, object]:
    """One release for a script."""
    rollout = course.rollout
    return {
        "release": rollout.release,
        "package": course.package,
        "group": course.group,
        "version": course.version,
        "state": rollout.state,
        "finished": course.finished,
        "why": course.why,
        "wave": course.wave + 1,
        "waves": course.waves.percents,
        "percent": rollout.percent,
        "success": course.waves.success,
        "counts": counts(boards),
        "boards": [_board(each) for each in boards],
    }


def damaged(reports: Mapping[str, UpdateReport]) -> dict[str, int]:
    """Boards that found copies of their floor damaged: a card that wears out, or somebody at it."""
    return {device: each.damaged for device, each in sorted(reports.items()) if each.damaged}


def counts(boards: Sequence[Board]) -> dict[str, int]:
    """How many of the boards whose turn it is stand where, and how many have no turn yet."""
    standing = Counter(each.standing for each in boards if each.turn)
    told = {each.value: standing[each] for each in Standing}
    return {"turn": standing.total(), **told, "later": len(boards) - standing.total()}


def headline(course: Course, boards: Sequence[Board]) -> str:
    """One release in a line."""
    told = counts(boards)
    parts = [f"{told['done']} of {told['turn']} done"]
    parts += [
        f"{told[name]} {name}" for name in ("working", "failed", "stopped", "silent") if told[name]
    ]
    state = "finished" if course.finished and course.rollout.state == "running" else stage(course)
    why = f" ({course.why})" if course.why else ""
    return f"{course.name}, {course.version}: {state}{why}; {', '.join(parts)}"


def rows(boards: Sequence[Board]) -> Iterator[tuple[str, str, str, str]]:
    """The boards whose turn it is, those that need a look first."""
    order = [
        Standing.FAILED,
        Standing.STOPPED,
        Standing.WORKING,
        Standing.WAITING,
        Standing.SILENT,
        Standing.DONE,
    ]
    turn = sorted(
        (each for each in boards if each.turn),
        key=lambda each: (order.index(each.standing), each.device),
    )
    for each in turn[:_MOST]:
        progress = each.progress
        current = progress if progress and each.standing is not Standing.WAITING else None
        state = current.state if current else each.standing.value
        loaded = f"{current.share:.0%}" if current else ""
        yield each.device, state, loaded, progress.reason if progress else ""
    if len(turn) > _MOST:
        yield f"and {len(turn) - _MOST} more", "", "", ""


def lines(course: Course, boards: Sequence[Board]) -> list[str]:
    """One release for a person."""
    table = list(rows(boards))
    return [headline(course, boards), *(columns([HEADING, *table]) if table else ())]


def _board(board: Board) -> Mapping[str, object]:
    progress = board.progress
    return {
        "device": board.device,
        "turn": board.turn,
        "standing": board.standing.value,
        "state": progress.state if progress else None,
        "release": progress.release if progress else None,
        "loaded": progress.share if progress else None,
        "running": progress.running if progress else None,
        "reason": progress.reason if progress else "",
        "since_s": progress.since_s if progress else None,
    }
