"""What masking did, told: for people as lines, for programs as one document."""

from collections.abc import Iterable, Iterator, Mapping

from agent.core.mask import Masking, MaskResult
from agent.stages import Clean
from broker.wire.payload import Record, Text, Window
from firstline.console import columns


def document(
    cleaned: Clean, result: MaskResult, originals: Mapping[str, str], *, explain: bool
) -> Mapping[str, object]:
    """All of it, for programs."""
    told: dict[str, object] = {
        "leaves": _leaves(result),
        "replaced": [_row(each) for each in result.maskings],
        "dropped": result.dropped,
        "changes": cleaned.changes,
    }
    if explain:
        told["found"] = [
            {**_row(each), "won_over": [_rival(*rival) for rival in _rivals(each)]}
            for each in (*result.maskings, *result.kept)
        ]
    return {**told, "originals": originals} if originals else told


def lines(
    cleaned: Clean, result: MaskResult, originals: Mapping[str, str], *, explain: bool
) -> Iterator[str]:
    """All of it, for people."""
    leaves = _leaves(result)
    if isinstance(leaves, str):
        yield leaves
    else:
        yield from (f"{name} = {value}" for name, value in leaves.items())
    yield ""
    found = (*result.maskings, *result.kept) if explain else result.maskings
    yield from columns(_rows(found, originals, explain=explain)) if found else _NOTHING
    if result.kept and not explain:
        yield f"Found, and left as it is: {len(result.kept)} (--explain tells what)"
    if result.dropped:
        yield f"Dropped, stays on the device: {', '.join(result.dropped)}"
    yield from (f"Cleaned: {change}" for change in cleaned.changes)


_NOTHING = ["Nothing was replaced."]


def _leaves(result: MaskResult) -> str | Mapping[str, object]:
    match result.masked.payload:
        case Text(text):
            return text
        case Record(fields):
            return fields
        case Window(_, channels, rate_hz) as window:
            return {"channels": channels, "rate_hz": rate_hz, "samples": window.length}


def _row(each: Masking) -> Mapping[str, object]:
    return {
        "placeholder": each.placeholder,
        "label": each.label,
        "rule": each.rule,
        "score": each.score,
        "field": each.field,
        "fate": each.fate,
    }


def _rivals(each: Masking) -> Iterator[tuple[str, str, float]]:
    return ((span.label, span.rule, span.score) for span in each.over)


def _rival(label: str, rule: str, score: float) -> Mapping[str, object]:
    return {"label": label, "rule": rule, "score": score}


def _rows(
    found: Iterable[Masking], originals: Mapping[str, str], *, explain: bool
) -> list[tuple[str, ...]]:
    heading: tuple[str, ...] = ("placeholder", "label", "rule", "score", "where")
    heading += ("became", "won over") if explain else ()
    heading += ("original",) if originals else ()
    rows = [heading]
    for each in found:
        row: tuple[str, ...] = (
            *(each.placeholder or "-", each.label, each.rule),
            *(f"{each.score:.2f}", each.field or "text"),
        )
        if explain:
            rivals = (f"{label} {rule} {score:.2f}" for label, rule, score in _rivals(each))
            row += (each.fate, ", ".join(rivals) or "-")
        if originals:
            row += (originals.get(each.placeholder, "-"),)
        rows.append(row)
    return rows
