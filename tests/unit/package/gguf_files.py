"""Tiny, real GGUF files: a Llama of one layer with weights by lot, and an adapter for it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, HIDDEN, HEADS = 32, 64, 2
BEGIN, END = 1, 2
SPECIAL = ("<unk>", "<s>", "</s>", "<ask>")
TOKENS = (*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁")
CHAT = (
    "{{ bos_token }}{% for m in messages %}<ask>{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
SHAPES = {
    "token_embd.weight": (len(TOKENS), WIDTH),
    "blk.0.attn_q.weight": (WIDTH, WIDTH),
    "blk.0.attn_k.weight": (WIDTH, WIDTH),
    "blk.0.attn_v.weight": (WIDTH, WIDTH),
    "blk.0.attn_output.weight": (WIDTH, WIDTH),
    "blk.0.ffn_gate.weight": (HIDDEN, WIDTH),
    "blk.0.ffn_up.weight": (HIDDEN, WIDTH),
    "blk.0.ffn_down.weight": (WIDTH, HIDDEN),
    "output.weight": (len(TOKENS), WIDTH),
}
NORMS = ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight")


def write_model(
    path: Path, *, architecture: str = "llama", chat: str = "", broken: bool = False
) -> None:
    """Write a model; `broken`: its weights are no numbers."""
    writer = _begun(path, architecture)
    writer.add_tokenizer_model("llama")
    if chat:
        writer.add_chat_template(chat)
    random = np.random.default_rng(1)
    for name, shape in SHAPES.items():
        values = random.normal(0.0, 0.3, shape).astype(np.float32)
        writer.add_tensor(name, np.full(shape, np.nan, np.float32) if broken else values)
    for name in NORMS:
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))
    _finish(writer)


def write_encoder(path: Path, *, decoder: bool = True) -> None:
    """Write a model that reads with an encoder and answers with a decoder (T5), or not at all."""
    writer = _begun(path, "t5" if decoder else "t5encoder")
    writer.add_tokenizer_model("llama")
    writer.add_relative_attn_buckets_count(8)
    writer.add_key_length(WIDTH // HEADS)
    writer.add_value_length(WIDTH // HEADS)
    writer.add_decoder_start_token_id(BEGIN)
    random = np.random.default_rng(3)
    square, up, down = (WIDTH, WIDTH), (HIDDEN, WIDTH), (WIDTH, HIDDEN)
    shapes = {"token_embd": (len(TOKENS), WIDTH), "enc.output_norm": (WIDTH,)}
    shapes |= {"dec.output_norm": (WIDTH,)}
    for part in ("enc.blk.0", "dec.blk.0"):
        shapes |= {f"{part}.attn_{name}": square for name in "qkvo"}
        shapes |= {f"{part}.attn_norm": (WIDTH,), f"{part}.ffn_norm": (WIDTH,)}
        shapes |= {f"{part}.attn_rel_b": (8, HEADS), f"{part}.ffn_up": up, f"{part}.ffn_down": down}
    shapes |= {f"dec.blk.0.cross_attn_{name}": square for name in "qkvo"}
    shapes |= {"dec.blk.0.cross_attn_norm": (WIDTH,)}
    for name, shape in shapes.items():
        if name.startswith("dec.") and not decoder:
            continue
        plain = np.ones(shape) if name.endswith("norm") else random.normal(0.0, 0.3, shape)
        writer.add_tensor(f"{name}.weight", plain.astype(np.float32))
    _finish(writer)


def _begun(path: Path, architecture: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_token_list([token.encode() for token in TOKENS])
    writer.add_token_scores([0.0] * len(TOKENS))
    kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 3, *[gguf.TokenType.BYTE] * 256]
    writer.add_token_types([*kinds, gguf.TokenType.NORMAL])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    return writer


def write_adapter(path: Path, *, width: int = WIDTH) -> None:
    """Write a LoRA adapter of rank 4 for the attention's values."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    random = np.random.default_rng(2)
    low = random.normal(0.0, 1.0, (4, width)).astype(np.float32)
    high = random.normal(0.0, 1.0, (width, 4)).astype(np.float32)
    writer.add_tensor("blk.0.attn_v.weight.lora_a", low)
    writer.add_tensor("blk.0.attn_v.weight.lora_b", high)
    _finish(writer)


def describe(folder: Path, *heads: dict[str, Any], context: int = 96) -> Path:
    """Write the package.toml of a folder that has its files."""
    lines = ['name = "tiny"', 'version = "0.1.0"', 'kind = "generation"', 'engine = "llama.cpp"']
    lines += ['file = "model.gguf"', 'licence = "CC0-1.0"', "ram_mb = 1", "[files]"]
    files = [path for path in sorted(folder.iterdir()) if path.name != "package.toml"]
    lines += [
        f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"' for path in files
    ]
    lines += ["[input]", 'payload = "text"', f"context = {context}"]
    for head in heads:
        lines += ["[[heads]]", *(f"{key} = {json.dumps(value)}" for key, value in head.items())]
    (folder / "package.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
