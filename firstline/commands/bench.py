"""`firstline bench`: what the README's figures are made with.

Each measurement is imported when it runs: the footprint's must not share pages with the agent.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline import console
from firstline.commands.bench_board import pressure, writes
from firstline.commands.bench_mask import mask
from firstline.commands.bench_progress import progressing
from firstline.commands.bench_stuck import stuck
from firstline.commands.bench_swap import swap
from firstline.commands.bench_update import update
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode
from firstline.shipped import package_folder

if TYPE_CHECKING:
    from firstline.bench.cascade import Point
    from firstline.bench.gate import Gate

bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
for measurement in (mask, update, swap, stuck, pressure, writes):
    bench.command()(measurement)


@bench.command()
def roundtrip(
    *,
    rounds: Annotated[int, typer.Option(min=50, help="Of each kind.")] = 1000,
    size: Annotated[int, typer.Option(min=1, max=60_000, help="Bytes of a question.")] = 1024,
    as_json: JsonOption = False,
) -> None:
    """A sealed, durable question and its answer, beside bare paho and with TLS, in one run."""
    from firstline.bench import roundtrip as roundtrips  # noqa: PLC0415 - see the module

    with progressing(rounds) as advance:
        try:
            found = roundtrips.measure(rounds, size, advance)
        except TimeoutError as error:
            raise CommandError(str(error), ExitCode.TIMEOUT) from error
    lines = [
        f"bare paho        p50 {found.bare_p50_ms:.3f} ms",
        f"Firstline        p50 {found.sealed_p50_ms:.3f} ms, p99 {found.sealed_p99_ms:.3f} ms",
        f"ratio            {found.ratio:.2f}",
        f"TLS and rules    p50 {found.guarded_p50_ms:.3f} ms, p99 {found.guarded_p99_ms:.3f} ms",
        f"ratio to without {found.guarded_ratio:.3f}",
        f"overhead         question {found.request_overhead_bytes} bytes",
        f"                 answer {found.reply_overhead_bytes} bytes",
        f"rounds           {found.rounds} of each, {found.question_bytes} bytes",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@bench.command()
def footprint(*, as_json: JsonOption = False) -> None:
    """The agent's memory, its start, and how fast the command line answers."""
    from firstline.bench import footprint as footprints  # noqa: PLC0415 - see the module

    with progressing(footprints.STEPS) as advance:
        try:
            found = footprints.measure(advance)
        except footprints.FootprintError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    lines = [
        f"idle agent       {found.idle_pss_mb:.1f} MiB",
        f"  with its child {found.idle_with_child_pss_mb:.1f} MiB",
        f"engine child     {found.engine_child_pss_mb:.1f} MiB",
        f"start to online  {found.start_to_online_s:.2f} s",
        f"--help           {found.help_ms:.0f} ms",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@bench.command()
def engine(
    *,
    onnx: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A classifier of texts.")
    ] = "commands-small",
    llama: Annotated[str, typer.Option(metavar="NAME|DIR", help="A language model.")] = "home-nlu",
    rounds: Annotated[int, typer.Option(min=5, help="Of each question.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """What the engine child costs, beside the engine called directly, in the same run."""
    from firstline.bench import engine as engines  # noqa: PLC0415 - see the module

    folders = (package_folder(onnx, Path()), package_folder(llama, Path()))
    with progressing(engines.steps(rounds)) as advance:
        found = engines.measure(*folders, rounds, advance)
    lines = [
        f"onnxruntime      {found.onnx_direct_ms:.3f} ms",
        f"  by the child   {found.onnx_child_ms:.3f} ms, {found.onnx_extra_ms:.3f} ms more",
        f"llama.cpp        {found.llama_raw_tokens_per_s:.0f} tokens/s",
        f"  by the child   {found.llama_tokens_per_s:.0f} tokens/s",
        f"ratio            {found.ratio:.3f}",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@bench.command()
def chaos(
    *,
    requests: Annotated[int, typer.Option(min=1, help="Questions.")] = 5000,
    seed: Annotated[int, typer.Option(help="What happens when follows from it.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Questions while programs are killed, links cut, queues full and clocks wrong."""
    from firstline.bench import chaos as chaoses  # noqa: PLC0415 - see the module

    with progressing(requests) as advance:
        found = chaoses.measure(requests, seed, advance)
    lines = [
        f"lost             {found.lost} of {found.requests}",
        f"two effects      {found.duplicate_effects}",
        f"after            {found.kills} kills, {found.outages} outages, {found.cuts} cuts,",
        f"                 {found.freezes} freezes, {found.overflows} overflows,",
        f"                 {found.clock_jumps} clock jumps",
        f"sends            {found.sends_per_request:.2f} of each question",
        f"answer           p50 {found.p50_s:.2f} s, p99 {found.p99_s:.2f} s",
        f"degraded         {found.degraded}; worked twice {found.worked_twice}",
        f"took             {found.wall_s:.0f} s, seed {found.seed}",
    ]
    console.show(asdict(found), lines, as_json=as_json)
    if found.lost or found.duplicate_effects:
        raise CommandError("questions were lost or answered in two ways", ExitCode.FAILURE)


@bench.command()
def drain(
    *,
    questions: Annotated[int, typer.Option(min=100, help="That are queued.")] = 20_000,
    workers: Annotated[int, typer.Option(min=1, help="In the pool.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Questions that were queued offline, and how fast they go when the link is back."""
    from firstline.bench import drain as drains  # noqa: PLC0415 - see the module

    with progressing(drains.STEPS) as advance:
        try:
            found = drains.measure(questions, workers, advance)
        except drains.DrainError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    lines = [
        f"drained          {found.drained_per_s:.0f}/s, {found.sends_per_request:.2f} sends each",
        f"queued           {found.queued_per_s:.0f}/s, {found.queued} while offline",
        f"memory           {found.agent_rss_mb:.0f} MiB, {found.growth_mb:.0f} more than idle",
        f"written          {found.written_kb_per_question:.1f} KiB of each question",
        f"bare paho        {found.bare_per_s:.0f}/s",
        f"seals alone      {found.seals_per_s:.0f}/s on one core",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@bench.command()
def gate(
    *,
    task: Annotated[str, typer.Option(help="A shipped domain: home, assistant.")],
    data: Annotated[Path, typer.Option(metavar="FILE", help="CSV with the columns text,intent.")],
    edge: Annotated[
        str,
        typer.Option(metavar="NAME|DIR", help="The small package; else the task's shipped one."),
    ] = "",
    cloud: Annotated[
        str,
        typer.Option(metavar="NAME|DIR", help="The large package; else the small one's parent."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """What the gate buys: both models over labelled sentences, the least sure ones asked."""
    from broker.package.manifest import load_manifest  # noqa: PLC0415
    from firstline.bench import gate as gates  # noqa: PLC0415 - see the module
    from firstline.bench.pair import find_pair  # noqa: PLC0415
    from firstline.labelled import read_labelled  # noqa: PLC0415

    pair = find_pair(task, edge, cloud)
    small = load_manifest(pair.edge)
    rows = read_labelled(data, small, small.head(task))
    with progressing(2 * len(rows)) as advance:
        found = gates.measure(pair, data, rows, advance)
    console.show(asdict(found), _gate_lines(found), as_json=as_json)


def _gate_lines(found: "Gate") -> Iterator[str]:
    yield f"{found.task}: {found.rows} rows in scope"
    if found.few_rows:
        yield "Fewer than 100 rows: no figure is more than a hint."
    yield from console.columns(
        [
            ("escalated", "accuracy", "ratio", ""),
            ("0.0 %", f"{found.edge_accuracy:.1%}", "", f"{found.edge}, {found.edge_ms:.3f} ms"),
            *(_point(each, "") for each in found.points),
            (
                "100.0 %",
                f"{found.cloud_accuracy:.1%}",
                "1",
                f"{found.cloud}, {found.cloud_ms:.3f} ms",
            ),
            *(_point(each, "by lot") for each in found.random_points),
            _point(found.fixed_half, "score below 0.5"),
            ("", f"{found.oracle_accuracy:.1%}", "", "one of the two is right"),
        ]
    )
    yield f"gap closed (APGR)   {_number(found.apgr)}, uncut {_number(found.apgr_raw)}"
    yield f"calibration error   {_number(found.ece)}"
    apart = found.out_of_scope
    if apart.rows:
        yield f"out of scope: {apart.rows} rows, {_number(apart.escalated)} of them escalated"
        recalls = _number(apart.edge_recall), _number(apart.cloud_recall)
        yield "  recognised by edge {}, cloud {}".format(*recalls)
        yield f"  all rows: escalated {apart.escalated_all:.1%}, accuracy {apart.accuracy_all:.1%}"


def _point(point: "Point", what: str) -> tuple[str, str, str, str]:
    return (f"{point.escalated:.1%}", f"{point.accuracy:.1%}", _number(point.ratio), what)


def _number(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.4f}"
