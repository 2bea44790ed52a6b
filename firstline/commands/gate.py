"""`firstline gate`: what a task's bounds cost, before anybody runs it."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from firstline.commands import noun
from firstline.console import JsonOption, columns, note, show
from firstline.exits import CommandError, ExitCode
from firstline.explaining.explanation import Explanation, of_package, of_task
from firstline.explaining.plot import FORMATS, write_plot
from firstline.trust import Price, Worth

app = noun("The gate: what a bound on error or on questions asked costs.")

_MARK = "<- settings"


@app.command()
def explain(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A task of the settings, or a package's domain.")
    ],
    *,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An agent's settings.")
    ] = None,
    package: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="Instead of settings: a model package.")
    ] = "",
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg|FILE.png", help="Draw risk over coverage.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what each bound costs and brings, and where the settings stand.

    A bound that the model cannot keep is refused, and the best that it can is named.
    """
    if (settings is None) == (not package):
        raise CommandError("give either --settings FILE or --package NAME", ExitCode.USAGE)
    if plot is not None and plot.suffix.lower() not in FORMATS:
        raise CommandError(f"{plot}: a plot ends with {' or '.join(FORMATS)}", ExitCode.USAGE)
    found = of_package(package, task) if settings is None else of_task(settings, task)
    if found.refused is not None:
        if not as_json:
            show({}, _lines(found), as_json=False)
        raise found.refused
    if plot is not None:
        write_plot(found, plot)
        note(f"drawn: {plot}")
    show(_document(found), _lines(found), as_json=as_json)


def _document(found: Explanation) -> dict[str, object]:
    return {
        "task": found.task,
        "package": found.package,
        "version": found.version,
        "domain": found.domain,
        "method": found.method,
        "samples": found.samples,
        "few_samples": found.few_samples,
        "ece": found.ece,
        "called_out_of_scope": found.called_out,
        "confidence": found.confidence,
        "max_error": [asdict(each) for each in found.prices],
        "max_share": [asdict(each) for each in found.worths],
        "settings": found.operating and asdict(found.operating),
        "notes": found.notes,
    }


def _lines(found: Explanation) -> Iterator[str]:
    yield f"{found.task}: answered on the device by {found.package} {found.version}, {found.domain}"
    yield (
        f"calibrated on {found.samples} samples, {found.method}; its chances are off by "
        f"{found.ece:.1%} on average"
    )
    if found.called_out:
        yield f"it calls {found.called_out:.1%} of the samples out of scope: they are never kept"
    yield ""
    yield f"max_error: of what the device keeps, so much may be wrong ({found.confidence:.1%} sure)"
    point = found.operating
    bound = point.max_error if point else None
    bounds = ("max_error", "asked", "kept", "wrong so far", "scores above", "")
    yield from columns([bounds, *(_price(each, each.max_error == bound) for each in found.prices)])
    yield ""
    yield "max_share: so much may be asked, the least sure first; of the rest is wrong"
    share = point.max_share if point else None
    shares = ("max_share", "wrong so far", f"at most, {found.confidence:.1%} sure", "")
    yield from columns([shares, *(_worth(each, each.max_share == share) for each in found.worths)])
    if found.notes:
        yield ""
    yield from found.notes


def _price(each: Price, here: bool) -> tuple[str, ...]:  # noqa: FBT001 - a row's mark
    mark = _MARK if here else ""
    if each.feasible:
        figures = f"{each.escalated:.1%}", f"{each.kept:.1%}", f"{each.wrong:.1%}"
        return (f"{each.max_error:.1%}", *figures, f"{each.threshold:.3f}", mark)
    best = f"the best is {each.best:.2%}" if each.best else "nor is any other bound"
    refused = f"not certified: {best}"
    return (f"{each.max_error:.1%}", "", "", "", refused, mark)


def _worth(each: Worth, here: bool) -> tuple[str, ...]:  # noqa: FBT001 - a row's mark
    return (
        f"{each.max_share:.1%}",
        f"{each.wrong:.1%}",
        f"{each.at_most:.1%}",
        _MARK if here else "",
    )
