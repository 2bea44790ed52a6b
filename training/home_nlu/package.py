"""A trained model as a package folder: the GGUF file, grammars, hashes, figures, model card."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from broker.package import calibrate
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.fit import best
from broker.package.llama import predicted
from broker.package.load import load_package
from broker.package.manifest import CALIBRATION_FILE, load_manifest
from training.home_nlu import gguf_file
from training.home_nlu.covers import Cover
from training.home_nlu.frames import DOMAINS, Frame
from training.home_nlu.grammar import grammar
from training.home_nlu.judge import (
    Answer,
    answered,
    figures,
    hardest,
    paired,
    score,
    surest_intents,
)
from training.home_nlu.llama import Llama
from training.home_nlu.tokens import ASK, PROMPTS, Vocabulary

CONTEXT = 256  # tokens, of utterance and answer
_MOST_TOKENS = 96  # of an answer; the longest of the data has 50
WEIGHTS = "model.gguf"
_FORMAT = "q8_0"  # of the layers' weights
_LICENCE = "CC BY 4.0, CC0 1.0, CC BY 3.0, CC BY 4.0, CC BY 4.0, MIT, CC BY 4.0; MiniLM Apache-2.0"


def write(
    folder: Path, model: Llama, known: Vocabulary, every: Sequence[Frame], cover: Cover
) -> None:
    """Write a package without figures; `every` names the intents and slots of its grammars."""
    folder.mkdir(parents=True, exist_ok=True)
    gguf_file.write(folder / WEIGHTS, model, known, name=cover.name, format_=_FORMAT)
    for domain in DOMAINS:
        frames = [frame for frame in every if frame.domain == domain]
        rules = grammar(
            domain,
            intents={frame.intent for frame in frames},
            slots={slot for frame in frames for slot, _ in frame.slots},
        )
        (folder / _grammar_file(domain)).write_text(rules, encoding="utf-8")
    _write_manifest(folder, cover, {})


def finish(
    folder: Path, judged: Sequence[Frame], cover: Cover, smaller: Sequence[Answer] = ()
) -> list[Answer]:
    """Measure and calibrate a written package on validation frames; write its card.

    Where the answers of a smaller package to the same frames are given, also say how both fare
    on the fifth of which that one is least sure, and which has more right as a whole.
    """
    (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    _write_manifest(folder, cover, {}, score="first")
    by_intent = asked(folder, judged)
    _write_manifest(folder, cover, {})
    answers = asked(folder, judged)
    found: dict[str, float] = {}
    curves = {}
    for domain in DOMAINS:
        rows = [n for n, frame in enumerate(judged) if frame.domain == domain]
        frames, mine = [judged[n] for n in rows], [answers[n] for n in rows]
        theirs = [smaller[n] for n in rows] if smaller else []
        beside = hardest(frames, mine, theirs) | paired(frames, mine, theirs) if smaller else {}
        scored = score(frames, mine)
        curves[domain] = scored, best(scored)[0]
        known = {
            **figures(frames, mine),
            "intent_surest_accuracy": surest_intents(frames, [by_intent[n] for n in rows]),
            **beside,
            "ece": round(curves[domain][1].ece, 4),
        }
        found |= {f"{domain.replace('/', '_')}_{key}": value for key, value in known.items()}
    calibrate.write(load_manifest(folder), curves)
    found["median_ms"] = round(statistics.median(answer.ms for answer in answers), 2)
    found["size_bytes"] = sum((folder / file).stat().st_size for file in _files())
    _write_manifest(folder, cover, found)
    _write_card(folder, cover, found)
    load_manifest(folder)
    print(cover.name, json.dumps(found))
    return answers


def asked(folder: Path, judged: Sequence[Frame]) -> list[Answer]:
    """Answer every frame's utterance by a package."""
    model = load_package(folder)
    answers = answered(model, judged)
    model.close()
    return answers


def _grammar_file(domain: str) -> str:
    return domain.rpartition("/")[2] + ".gbnf"


def _files() -> list[str]:
    return [WEIGHTS, *map(_grammar_file, DOMAINS)]


def _ram_mb(path: Path) -> int:
    """Say what the model adds to a process with the engine loaded."""
    return math.ceil(predicted(path, CONTEXT).all / 1e6)


def _write_manifest(
    folder: Path, cover: Cover, found: Mapping[str, float], *, score: str = "product"
) -> None:
    lines = [
        f"name = {json.dumps(cover.name)}",
        'version = "1.0.0"',
        'kind = "generation"',
        'engine = "llama.cpp"',
        f'file = "{WEIGHTS}"',
        'licence = "Apache-2.0"',
        f"ram_mb = {_ram_mb(folder / WEIGHTS)}",
        *([f"parent = {json.dumps(cover.parent)}"] if cover.parent else []),
        "",
        "[files]  # SHA-256",
        *(f'"{name}" = "{sha256(folder / name)}"' for name in _files()),
        "",
        "[input]",
        'payload = "text"',
        f"context = {CONTEXT}  # tokens",
    ]
    for domain in DOMAINS:
        lines += [
            "",
            "[[heads]]",
            f'domain = "{domain}"',
            f'prompt = "{PROMPTS[domain]}{{text}}{ASK}"',
            f'grammar = "{_grammar_file(domain)}"',
            f"max_tokens = {_MOST_TOKENS}",
            f'score = "{score}"',
        ]
    lines += ["", "[training]"]
    told = {"data": cover.data, "licence": _LICENCE, "command": cover.command}
    for key, value in told.items():
        lines.append(f"{key} = {json.dumps(value)}")
    if found:
        lines += ["", "[training.figures]  # on validation, with this file"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in found.items()]
    (folder / PACKAGE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_card(folder: Path, cover: Cover, found: Mapping[str, float]) -> None:
    rows = "\n".join(f"| {key} | {value} |" for key, value in found.items())
    text = f"""# {cover.name} 1.0.0

{cover.card.strip()}

| figure | value |
|---|---|
{rows}

Measured with the file in this folder, through the engine that runs it, on HWU64's validation
split (`home_nlu`) and on the tenth of Snips that is never trained on (`home_snips`).
`accuracy` is of whole answers, `intent` of intents; `surest` of the 80 % with the highest score,
for intents with the likeliest first token; `slot_f1` counts (slot, exact value) pairs. `hard` is
the fifth of which home-nlu is least sure, `hard_smaller` what home-nlu itself makes of it;
`paired` counts the answers that this package alone or home-nlu alone has right as a whole, and
`paired_p` is how likely so uneven a count is among equals (two-sided sign test). The
calibration was fitted on the same cases and tells the chance that a whole answer is right; `ece`
is cross-fitted in five folds.

- Data: {cover.data}.
- Licence of the data: {_LICENCE}. Licence of this package: Apache-2.0.
- Reproduce: `{cover.command}`
"""
    (folder / "README.md").write_text(text, encoding="utf-8")
