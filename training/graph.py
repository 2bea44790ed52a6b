"""An encoder as an ONNX graph, written by hand: one text at a time, so no padding and no mask.

    ids (1, T) int64 -> Gather, norms, attention, feed-forward -> mean -> one output per domain

Weights are 8-bit unsigned, per channel; unsigned on both sides, because signed 8-bit products
saturate on x86 processors without VNNI and the answers would then depend on the machine.
"""

import logging
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from training.encoder import Encoder, Layer

OPSET = 20  # Gelu
Floats = NDArray[np.float32]
_EXTERNAL_ABOVE = 4 << 20  # bytes; smaller models stay one file


class Graph:
    """Collects nodes and weights."""

    def __init__(self) -> None:
        """Start empty."""
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        """Add a constant."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, domain: str = "", **more: float) -> str:
        """Add a node with one output, named like the node."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name, domain=domain, **more))
        return name

    def linear(self, x: str, weight: Floats, bias: Floats, name: str) -> str:
        """Compute x (1, T, I) @ weight (O, I).T + bias (O,)."""
        product = self.node("MatMul", [x, self.weight(f"{name}.w", weight.T)], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.b", bias)], name)

    def norm(self, x: str, module: nn.Module, name: str, epsilon: float) -> str:
        """Layer norm over the last axis."""
        scale = self.weight(f"{name}.scale", _array(module.weight))
        shift = self.weight(f"{name}.shift", _array(module.bias))
        return self.node(
            "LayerNormalization", [x, scale, shift], name, axis=-1, epsilon=max(epsilon, 1e-12)
        )


def export(encoder: Encoder, names: tuple[str, ...], path: Path) -> None:
    """Write the quantized model to `path`; large weights go beside it, so that RAM stays low."""
    logging.getLogger().setLevel(logging.ERROR)  # the quantizer names every tensor it leaves
    full = path.with_suffix(".float.onnx")
    onnx.save(_model(encoder, names), full)
    quantize_dynamic(
        full,
        path,
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        weight_type=QuantType.QUInt8,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    full.unlink()
    if path.stat().st_size > _EXTERNAL_ABOVE:
        model = onnx.load(path)
        data = path.with_suffix(".data")
        data.unlink(missing_ok=True)
        path.unlink()
        onnx.save(model, path, save_as_external_data=True, location=data.name, size_threshold=4096)
        data.chmod(0o644)  # onnx makes it private


def _model(encoder: Encoder, names: tuple[str, ...]) -> onnx.ModelProto:
    shape, graph = encoder.shape, Graph()
    words = graph.weight("words", _array(encoder.words.weight))
    places = graph.weight("places", _array(encoder.positions.weight))
    length = graph.node("Shape", ["ids"], "length", start=1, end=2)
    zero, one = (graph.weight(f"n{n}", np.array([n], dtype=np.int64)) for n in (0, 1))
    here = graph.node("Slice", [places, zero, length, zero], "here")
    x = graph.node("Add", [graph.node("Gather", [words, "ids"], "looked_up"), here], "embedded")
    x = graph.norm(x, encoder.embedding_norm, "embedding_norm", shape.epsilon)
    if shape.embedding != shape.hidden:
        x = graph.linear(x, _array(encoder.project.weight), _array(encoder.project.bias), "project")
    for number, layer in enumerate(encoder.layers):
        x = _layer(graph, x, layer, f"layer{number}", shape.epsilon)
    mean = graph.node("ReduceMean", [x, one], "mean", keepdims=0)
    for name, head in zip(names, encoder.heads, strict=True):
        graph.linear(mean, _array(head.weight), _array(head.bias), name)
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in zip(names, shape.outputs, strict=True)
    ]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])
    body = helper.make_graph(graph.nodes, "encoder", [ids], outputs, graph.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=10, producer_name="firstline")


def _layer(graph: Graph, x: str, layer: Layer, name: str, epsilon: float) -> str:
    weights, biases = (_array(p) for p in (layer.qkv.weight, layer.qkv.bias))
    parts = [
        graph.linear(x, weight, bias, f"{name}.{part}")
        for part, weight, bias in zip("qkv", np.split(weights, 3), np.split(biases, 3), strict=True)
    ]
    mixed = graph.node(
        "MultiHeadAttention", parts, f"{name}.mixed", "com.microsoft", num_heads=layer.heads
    )
    out = _dense(graph, mixed, layer.out, f"{name}.out")
    sum1 = graph.node("Add", [x, out], f"{name}.sum1")
    x = graph.norm(sum1, layer.attention_norm, f"{name}.n1", epsilon)
    inner = _dense(graph, x, layer.inner, f"{name}.inner")
    outer = _dense(graph, graph.node("Gelu", [inner], f"{name}.gelu"), layer.outer, f"{name}.outer")
    sum2 = graph.node("Add", [x, outer], f"{name}.sum2")
    return graph.norm(sum2, layer.norm, f"{name}.n2", epsilon)


def _dense(graph: Graph, x: str, module: nn.Linear, name: str) -> str:
    return graph.linear(x, _array(module.weight), _array(module.bias), name)


def _array(parameter: object) -> NDArray[np.float32]:
    return parameter.detach().cpu().float().numpy()  # type: ignore[attr-defined]
