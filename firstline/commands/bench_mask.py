"""`firstline bench mask`: how much of what is personal is found, how fast, in how much memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline import console
from firstline.console import JsonOption

if TYPE_CHECKING:
    from firstline.bench.masking import Masking
    from firstline.bench.masking_misses import Miss


def mask(
    *,
    data: Annotated[
        Path, typer.Option(metavar="FILE", help="Labelled texts, in presidio-research's form.")
    ],
    errors: Annotated[
        int, typer.Option(min=0, help="Print so many kinds of mistakes, by type and rule.")
    ] = 0,
    show_texts: Annotated[
        bool, typer.Option("--show-texts", help="With --errors: print the personal texts too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What the finders find in labelled texts, in a process of their own."""
    from firstline.bench import masking  # noqa: PLC0415 - see firstline.commands.bench
    from firstline.bench.masking_data import read_cases  # noqa: PLC0415
    from firstline.bench.masking_misses import misses  # noqa: PLC0415

    cases = read_cases(data)
    measured = masking.measure(cases)
    found = masking.judge(cases, measured)
    mistakes = misses(cases, measured.found)[:errors]
    document = masking.document(found)
    if errors:
        document["errors"] = [_told(each, show_texts=show_texts) for each in mistakes]
    lines = [*_lines(found), *_mistake_lines(mistakes, show_texts=show_texts)]
    console.show(document, lines, as_json=as_json)


def _lines(found: "Masking") -> Iterator[str]:
    yield f"{found.texts} texts, {found.spans} labelled spans"
    yield from console.columns(
        [
            ("type", "precision", "recall", "F2", "labelled"),
            *(
                (
                    name,
                    f"{one.precision:.3f}",
                    f"{one.recall:.3f}",
                    f"{one.f2:.3f}",
                    f"{one.support}",
                )
                for name, one in found.per_type.items()
            ),
        ]
    )
    yield f"F2  eight patterns  {found.pattern8_f2:.3f}"
    yield f"    persons         {found.person_f2:.3f}, strictly {found.person_strict_f2:.3f}"
    yield f"    whatever type   {found.pii_f2:.3f}, strictly {found.pii_strict_f2:.3f}"
    yield f"characters covered  {found.covered:.1%}, needlessly found {found.needless:.1%}"
    yield f"one text            mean {found.ms_mean:.3f} ms, p99 {found.ms_p99:.3f} ms"
    yield f"the process         {found.rss_mb:.1f} MB, ready after {found.init_s:.3f} s"
    if found.unusable_spans:
        yield f"labels that mark nothing in their text, left out: {found.unusable_spans}"
    for name, count in found.unknown_types.items():
        yield f"nothing is meant to find {name}: {count} labelled"


def _mistake_lines(mistakes: "Sequence[Miss]", *, show_texts: bool) -> Iterator[str]:
    if mistakes:
        yield ""
        heading = ("times", "mistake", "labelled", "found", "rule")
        rows = [(f"{m.count}", m.kind, m.labelled, m.found, m.rule) for m in mistakes]
        yield from console.columns([heading, *rows])
    if show_texts:
        for each in mistakes:
            yield f"{each.kind} {each.labelled} {each.found} {each.rule}"
            yield from (f"    {text}" for text in each.texts)


def _told(miss: "Miss", *, show_texts: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "kind": miss.kind,
        "labelled": miss.labelled,
        "found": miss.found,
        "rule": miss.rule,
        "count": miss.count,
    }
    return {**told, "texts": miss.texts} if show_texts else told
