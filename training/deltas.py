"""Make what `make bench-delta` measures: packages of ours, and what further training makes of them.

python -m training.deltas --data DIR --out OUT

home-nlu --a few steps--> small      OUT/NAME/before.gguf, after.gguf
         --many steps-->  large
         --low rank-->    merged, and the adapter alone: OUT/lora/adapter.gguf
engine-large with other seeds        OUT/seed/before.onnx, after.onnx

A GGUF file of ours holds sums that further training takes apart, so what was read back and written
again is what comes before.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from training import data, engines, small_nets, turbofan
from training.home_nlu import frames, gguf_file
from training.home_nlu.course import DROPOUT, vocabulary
from training.home_nlu.fit import Recipe, Teacher, fit
from training.home_nlu.llama import Block, Llama
from training.home_nlu.samples import batches, samples
from training.home_nlu.tokens import Encoder, Vocabulary

_START = Path("firmware_configs/models/home-nlu/model.gguf")
_COURSES = {
    "small": Recipe(20, rate=2e-5, warm_up=3, decay=0.0),
    "large": Recipe(60, rate=2e-4, warm_up=5, decay=0.0),
}
_LORA = Recipe(20, rate=1e-3, warm_up=3, decay=0.0)
_RANK = 8
_TOKENS = 512  # of a batch: minutes on two cores, and the weights change as they do with more
log = logging.getLogger(__name__)


def main() -> None:
    """Train and write."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given = data.arguments("Make pairs of files for make bench-delta.").parse_args()
    training, _ = frames.read(Path(given.data))
    known = vocabulary(training, Path(given.data))
    encoder = Encoder(known)
    log.info("%d sentences, %d tokens known", len(training), len(known.pieces))
    every = samples(training, encoder, [-1] * len(training))
    nobody = Teacher(torch.zeros(1, dtype=torch.int64), torch.zeros(1, 1))
    for name, recipe in _COURSES.items():
        model = _start(known)
        before = _state(model)
        fit(model, batches(every, tokens=_TOKENS, seed=7), nobody, recipe)
        log.info("%s: weights changed by %.4f of their size", name, _changed(before, model))
        for format_ in gguf_file.FORMATS:
            _write_pair(given.out / f"{name}-{format_}", known, model, format_)
    model = _start(known)
    parts = [_adapt(block) for block in model.blocks if isinstance(block, Block)]
    fit(model, batches(every, tokens=_TOKENS, seed=7), nobody, _LORA)
    folder = given.out / "lora-q8_0"
    folder.mkdir(parents=True, exist_ok=True)
    _write_adapter(folder / "adapter.gguf", parts)
    for block in model.blocks:
        for name in ("query_key_value", "output", "gate_up", "down"):
            parametrize.remove_parametrizations(getattr(block, name), "weight")
    _write_pair(folder, known, model, "q8_0")
    _seeds(given)


class _LowRank(nn.Module):
    """A matrix plus the product of two narrow ones. Hu et al. 2021, arXiv 2106.09685."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(_RANK, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, _RANK))

    def forward(self, weight: Tensor) -> Tensor:
        return weight.detach() + self.up @ self.down


def _adapt(block: Block) -> dict[str, tuple[Tensor, Tensor]]:
    """Have a block learn in low rank; the parts by llama.cpp's names, as (down, up)."""
    made: dict[str, tuple[Tensor, Tensor]] = {}
    names = {
        "query_key_value": ("attn_q", "attn_k", "attn_v"),
        "output": ("attn_output",),
        "gate_up": ("ffn_gate", "ffn_up"),
        "down": ("ffn_down",),
    }
    for name, told in names.items():
        linear = getattr(block, name)
        part = _LowRank(*linear.weight.shape)
        parametrize.register_parametrization(linear, "weight", part)
        for each, up in zip(told, part.up.chunk(len(told)), strict=True):
            made[each] = (part.down, up)
    return made


def _write_adapter(path: Path, parts: list[dict[str, tuple[Tensor, Tensor]]]) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(_RANK))
    for number, block in enumerate(parts):
        for name, (down, up) in block.items():
            tensor = f"blk.{number}.{name}.weight"
            for kind, weights in (("lora_a", down), ("lora_b", up)):
                half = weights.detach().numpy().astype(np.float16)
                writer.add_tensor(f"{tensor}.{kind}", np.ascontiguousarray(half))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _start(known: Vocabulary) -> Llama:
    torch.manual_seed(0)
    return gguf_file.read(_START, known, dropout=DROPOUT)


def _write_pair(folder: Path, known: Vocabulary, after: Llama, format_: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in (("before", _start(known)), ("after", after)):
        gguf_file.write(folder / f"{name}.gguf", model, known, name="home-nlu", format_=format_)


def _state(model: Llama) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def _changed(before: dict[str, Tensor], model: Llama) -> float:
    moved = sum(float((w - before[n]).pow(2).sum()) for n, w in model.named_parameters())
    size = sum(float(weight.pow(2).sum()) for weight in before.values())
    return float((moved / size) ** 0.5)


def _seeds(given: argparse.Namespace) -> None:
    """Two of engine-large that differ in nothing but chance."""
    features, plan, _ = engines.DESIGNS["engine-large"]
    every = turbofan.engines(Path(given.data))
    flown = [engine for engine in every if engine.number not in turbofan.VALIDATION]
    x, y = engines.numbers(engines.cases(flown, step=engines.STEP), features)
    folder = given.out / "seed-onnx"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in (("before", 0), ("after", 100)):
        net = small_nets.fitted(x, y, len(turbofan.LABELS), replace(plan, seed=seed))
        small_nets.export(net, [x.shape[1]], folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
