"""Small nets for windows and records: fitted with torch, written as ONNX by hand.

    numbers (1, D)      -> standardize -> members of (ReLU layers) -> mean probability
    samples (1, T, C)   -> standardize -> members of (two convolutions, ReLU layers) -> the same

Standardizing is inside the graph, so a package takes the plain numbers of a sensor.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

Floats = NDArray[np.float32]
_KERNEL = 5  # cycles


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and effort."""

    hidden: tuple[int, ...]  # widths of the ReLU layers; none: logistic regression
    members: int = 1  # nets whose probabilities are averaged
    seed: int = 0  # of the first of them
    filters: int = 0  # convolutions first, if there are any
    epochs: int = 30
    rate: float = 3e-3
    decay: float = 1e-3
    dropout: float = 0.0
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trained members and the scale of their input."""

    members: list[nn.Sequential]
    mean: Floats
    scale: Floats

    def probabilities(self, x: Floats) -> Floats:
        """Give (N, labels)."""
        scaled = torch.from_numpy((x - self.mean) / self.scale)
        with torch.no_grad():
            found = [member(scaled).softmax(-1) for member in self.members]
        return torch.stack(found).mean(0).numpy()


def fitted(x: Floats, y: NDArray[np.int64], labels: int, plan: Plan) -> Fitted:
    """Train on x (N, D) or (N, T, C)."""
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes, dtype=np.float64).astype(np.float32)
    scale = x.std(axis=axes, dtype=np.float64).astype(np.float32)
    scale[scale < 1e-4 * np.maximum(1.0, np.abs(mean))] = 1e6  # a constant says nothing
    inputs, targets = torch.from_numpy((x - mean) / scale), torch.from_numpy(y)
    members = []
    for seed in range(plan.seed, plan.seed + plan.members):
        torch.manual_seed(seed)
        member = _net(inputs.shape[1:], labels, plan)
        _train(member, inputs, targets, plan)
        members.append(member.eval())
    return Fitted(members, mean, scale)


def export(net: Fitted, shape: list[int], path: Path) -> None:
    """Write one ONNX file with the input (1, *shape) and the output "probabilities"."""
    writer = _Writer()
    x = writer.node("Sub", ["input", writer.weight(net.mean)])
    x = writer.node("Div", [x, writer.weight(net.scale)])
    parts = [writer.node("Softmax", [writer.net(x, member)]) for member in net.members]
    total = writer.node("Sum", parts)
    count = writer.weight(np.array(len(parts), dtype=np.float32))
    writer.nodes.append(helper.make_node("Div", [total, count], ["probabilities"]))
    labels = net.members[0][-1].out_features
    body = helper.make_graph(
        writer.nodes,
        "net",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, *shape])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, labels])],
        writer.weights,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(body, opset_imports=opset, ir_version=10), path)


class _Turn(nn.Module):
    """(N, T, C) to (N, C, T)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


def _net(shape: torch.Size, labels: int, plan: Plan) -> nn.Sequential:
    parts: list[nn.Module] = []
    width = shape[-1]
    if plan.filters:
        parts = [_Turn()]
        for _ in range(2):
            parts += [nn.Conv1d(width, plan.filters, _KERNEL), nn.ReLU()]
            width = plan.filters
        parts.append(nn.Flatten())
        width *= shape[0] - 2 * (_KERNEL - 1)
    for size in plan.hidden:
        parts += [nn.Dropout(plan.dropout), nn.Linear(width, size), nn.ReLU()]
        width = size
    return nn.Sequential(*parts, nn.Linear(width, labels))


def _train(net: nn.Sequential, inputs: Tensor, targets: Tensor, plan: Plan) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    batches = len(inputs) // 128 + 1
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, plan.epochs * batches)
    net.train()
    for _ in range(plan.epochs):
        for rows in torch.randperm(len(inputs)).tensor_split(batches):
            loss = nn.functional.cross_entropy(
                net(inputs[rows]), targets[rows], label_smoothing=plan.smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


class _Writer:
    """Collects nodes and weights; names them by number."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, value: NDArray[np.generic]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, inputs: list[str], **more: object) -> str:
        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **more))
        return name

    def net(self, x: str, net: nn.Sequential) -> str:
        for part in net:
            match part:
                case nn.Linear():
                    x = self.node("Gemm", [x, *self._own(part)], transB=1)
                case nn.Conv1d():
                    x = self.node("Conv", [x, *self._own(part)])
                case nn.ReLU():
                    x = self.node("Relu", [x])
                case nn.Flatten():
                    x = self.node("Flatten", [x])
                case _Turn():
                    x = self.node("Transpose", [x], perm=[0, 2, 1])
        return x

    def _own(self, part: nn.Module) -> list[str]:
        return [self.weight(p.detach().numpy()) for p in (part.weight, part.bias)]
