"""`firstline mask`: what would leave the device, and why. Nothing is sent and nothing is kept.

TEXT or RECORD -> clean -> mask -> what is left of it, and a row for each replacement
IMAGE          -> strip --------> a file without what was beside the picture
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.core.clean import Expectation, clean
from agent.core.mask import mask as mask_payload
from agent.core.policy import FieldRule, MaskRules
from agent.stages import FindSpans, Raw
from broker.wire.payload import PayloadKind
from firstline.chosen_task import chosen_task
from firstline.console import JsonOption, show
from firstline.exits import CommandError
from firstline.masked import document, lines
from firstline.naming import finder, shipped_finder

_TASK = "mask"  # the pipeline's name for a question that belongs to no task
_MOST_BYTES = 64 * 1024 * 1024  # as much as a task can be set to take

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
    generalize: Fields = None,
    drop: Fields = None,
    pseudonymize: Fields = None,
    default: Annotated[
        FieldRule, typer.Option(help="For fields that no option names.")
    ] = FieldRule.DROP,
    settings: Annotated[
        Path | None, typer.Option(help="As a task of these settings does it; TEXT is its input.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Which task, if there are several.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="A JPEG, PNG, WebP or GIF file instead.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where the clean image goes.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell of all that was found, and what it won over.")
    ] = False,
    show_originals: Annotated[
        bool, typer.Option("--show-originals", help="Print the personal data too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print exactly what would leave the device, and why.

    Names, e-mail addresses, phone numbers, payment cards, dates, secrets and more become
    placeholders. Use - to keep the text out of your shell's history. With --image, write a
    copy of the image without Exif, GPS and all else that is not the picture.
    """
    if sum(each is not None for each in (text, record, image)) != 1:
        raise typer.BadParameter("Give a TEXT, a --record or an --image, one of them.")
    if image is not None:
        _strip_image(image, output, as_json=as_json)
        return
    by_field = {
        **dict.fromkeys(keep or (), FieldRule.KEEP),
        **dict.fromkeys(generalize or (), FieldRule.GENERALIZE),
        **dict.fromkeys(pseudonymize or (), FieldRule.PSEUDONYMIZE),
        **dict.fromkeys(drop or (), FieldRule.DROP),  # the safest rule wins
    }
    if settings is None:
        kind = PayloadKind.TEXT if record is None else PayloadKind.RECORD
        expect = Expectation(kind, max_bytes=_MOST_BYTES, max_chars=_MOST_BYTES)
        rules, find = MaskRules(by_field, default, frozenset(by_field)), shipped_finder()
    elif by_field or default is not FieldRule.DROP:
        raise typer.BadParameter("The fields' rules stand in the settings: give no other.")
    else:
        expect, rules, find = _of_task(settings, task)
    raw = Raw(_TASK, "command line", _bytes(text or record or "", expect.max_bytes))
    cleaned = clean(raw, expect)
    result = mask_payload(cleaned, rules, find)
    originals = result.vault.originals if show_originals else {}
    show(
        document(cleaned, result, originals, explain=explain),
        lines(cleaned, result, originals, explain=explain),
        as_json=as_json,
    )


def _bytes(given: str, most: int) -> bytes:
    return sys.stdin.buffer.read(most + 1) if given == "-" else os.fsencode(given)


def _of_task(path: Path, name: str | None) -> tuple[Expectation, MaskRules, FindSpans]:
    from broker.package.manifest import load_manifest  # noqa: PLC0415 - pydantic
    from firstline.mask_rules import mask_rules  # noqa: PLC0415 - pydantic
    from firstline.planning import expectation  # noqa: PLC0415 - pydantic
    from firstline.settings.agent import AgentSettings  # noqa: PLC0415 - pydantic
    from firstline.settings.source import read  # noqa: PLC0415 - pydantic
    from firstline.shipped import names_folder, package_folder  # noqa: PLC0415 - with the above

    settings, base = read(path, AgentSettings), path.resolve().parent
    section = chosen_task(settings, name, path=path, command="firstline mask TEXT")
    manifest = load_manifest(package_folder(settings.models[section.model].package, base))
    names = [names_folder(language, base) for language in settings.agent.names]
    rules = mask_rules(section.mask, base, manifest)
    return expectation(section, manifest), rules, finder(names)


def _strip_image(image: Path, output: Path | None, *, as_json: bool) -> None:
    from agent.core.image import strip  # noqa: PLC0415 - for this option only
    from broker.wire.files import write_whole  # noqa: PLC0415 - for this option only

    if output is None:
        raise typer.BadParameter("Say where the clean image goes: --output FILE.")
    with image.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise CommandError(f"{image} has more than {_MOST_BYTES} bytes")
    stripped = strip(data)
    write_whole(output, stripped.data)
    removed = ", ".join(f"{name} {count}" for name, count in sorted(stripped.removed.items()))
    told = {"kind": stripped.kind, "bytes": len(stripped.data), "removed": stripped.removed}
    lines = [f"{output}: {stripped.kind}, {len(stripped.data)} bytes"]
    show(told, [*lines, f"Removed: {removed or 'nothing, there was nothing'}"], as_json=as_json)
