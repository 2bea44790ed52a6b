"""`firstline mask`: what would leave the device, and why. Nothing is sent and nothing is kept.

TEXT -> clean -> mask -> the masked text, and a row for each replacement
"""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from agent.core.clean import MAX_BYTES, Expectation, clean
from agent.core.find import find
from agent.core.mask import FieldRule, MaskResult, MaskRules
from agent.core.mask import mask as mask_payload
from agent.stages import Clean, Raw
from broker.wire.payload import PayloadKind, Record, Text, Window
from firstline.console import JsonOption, columns, show

_TASK = "mask"  # the pipeline's name for a question that belongs to no task

Fields = Annotated[list[str] | None, typer.Option(metavar="FIELD", help="Of a record; repeatable.")]


def mask(  # noqa: PLR0913 - each is an option of the command
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The text; - reads it from stdin.")
    ] = None,
    *,
    record: Annotated[
        str | None, typer.Option(metavar="JSON", help="A record instead; - reads it from stdin.")
    ] = None,
    keep: Fields = None,
    drop: Fields = None,
    pseudonymize: Fields = None,
    default: Annotated[
        FieldRule, typer.Option(help="For fields that no option names.")
    ] = FieldRule.DROP,
    show_originals: Annotated[
        bool, typer.Option("--show-originals", help="Print the personal data too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print exactly what would leave the device, and why.

    E-mail addresses, phone numbers, payment cards, IBANs, IP and MAC addresses become
    placeholders. Use - to keep the text out of your shell's history.
    """
    if (text is None) == (record is None):
        raise typer.BadParameter("Give a TEXT or a --record, one of them.")
    rules = MaskRules(
        {
            **dict.fromkeys(keep or (), FieldRule.KEEP),
            **dict.fromkeys(pseudonymize or (), FieldRule.PSEUDONYMIZE),
            **dict.fromkeys(drop or (), FieldRule.DROP),  # the safest rule wins
        },
        default,
    )
    kind = PayloadKind.TEXT if record is None else PayloadKind.RECORD
    cleaned = clean(Raw(_TASK, "command line", _bytes(text or record or "")), Expectation(kind))
    result = mask_payload(cleaned, rules, find)
    originals = result.vault.originals if show_originals else {}
    show(_document(cleaned, result, originals), _lines(cleaned, result, originals), as_json=as_json)


def _bytes(given: str) -> bytes:
    return sys.stdin.buffer.read(MAX_BYTES + 1) if given == "-" else os.fsencode(given)


def _leaves(result: MaskResult) -> str | Mapping[str, float | str]:
    match result.masked.payload:
        case Text(text):
            return text
        case Record(fields):
            return fields
        case Window():  # this command takes none
            return ""


def _document(
    cleaned: Clean, result: MaskResult, originals: Mapping[str, str]
) -> Mapping[str, object]:
    replaced = [
        {
            "placeholder": each.placeholder,
            "label": each.label,
            "rule": each.rule,
            "score": each.score,
            "field": each.field,
        }
        for each in result.maskings
    ]
    document: dict[str, object] = {
        "leaves": _leaves(result),
        "replaced": replaced,
        "dropped": result.dropped,
        "changes": cleaned.changes,
    }
    return {**document, "originals": originals} if originals else document


def _lines(cleaned: Clean, result: MaskResult, originals: Mapping[str, str]) -> Iterator[str]:
    leaves = _leaves(result)
    if isinstance(leaves, str):
        yield leaves
    else:
        yield from (f"{name} = {value}" for name, value in leaves.items())
    yield ""
    yield from columns(_rows(result, originals)) if result.maskings else ["Nothing was replaced."]
    if result.dropped:
        yield f"Dropped, stays on the device: {', '.join(result.dropped)}"
    yield from (f"Cleaned: {change}" for change in cleaned.changes)


def _rows(result: MaskResult, originals: Mapping[str, str]) -> list[tuple[str, ...]]:
    heading: tuple[str, ...] = ("placeholder", "label", "rule", "score", "where")
    rows = [
        (each.placeholder, each.label, each.rule, f"{each.score:.2f}", each.field or "text")
        for each in result.maskings
    ]
    if not originals:
        return [heading, *rows]
    return [(*heading, "original"), *((*row, originals[row[0]]) for row in rows)]
