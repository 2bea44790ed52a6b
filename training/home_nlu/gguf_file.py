"""A trained model and its vocabulary as one GGUF file that llama.cpp runs.

The token vectors, put together from bases and variants, are the output's weights too.
"""

from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, TokenType
from torch import Tensor

from training.home_nlu.llama import EPSILON, THETA, Llama, Shape
from training.home_nlu.tokens import ALONE, CONTROL, END, Vocabulary

FORMATS = {"q8_0": GGMLQuantizationType.Q8_0, "q4_0": GGMLQuantizationType.Q4_0}
_FILE_TYPES = {"q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0}

_SIZES = {
    "width": "embedding_length",
    "depth": "block_count",
    "heads": "attention.head_count",
    "hidden": "feed_forward_length",
    "context": "context_length",
}


def write(path: Path, model: Llama, vocabulary: Vocabulary, *, name: str, format_: str) -> None:
    """Write the file; norms stay float32, token vectors 8-bit, the layers as `format_` says."""
    shape = model.shape
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_license("Apache-2.0")
    writer.add_file_type(_FILE_TYPES[format_])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.depth)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(THETA)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(len(vocabulary.pieces))
    _add_vocabulary(writer, vocabulary)
    for tensor, weights in _tensors(model).items():
        _add_tensor(writer, tensor, weights, FORMATS[format_])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: Path, vocabulary: Vocabulary, *, dropout: float) -> Llama:
    """Read a written model back, to train it on; the numbers are those of the 8-bit weights.

    A file has the sums of bases and variants only, so what is alone counts as a base.

    Raises:
        ValueError: the file has other tokens.
    """
    file = gguf.GGUFReader(path)
    if file.fields["tokenizer.ggml.tokens"].contents() != list(vocabulary.pieces):
        raise ValueError(f"{path} has other tokens than the vocabulary of this data")
    sizes = {key: file.fields[f"llama.{name}"].contents() for key, name in _SIZES.items()}
    bases, variants = torch.tensor(vocabulary.bases), torch.tensor(vocabulary.variants)
    model = Llama(Shape(**sizes), bases, variants, dropout)
    weights = {
        tensor.name: torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type))
        for tensor in file.tensors
    }
    with torch.no_grad():
        for name, place in _tensors(model).items():
            if name != "token_embd.weight":
                place.copy_(weights[name])
        vectors = weights["token_embd.weight"]
        alone = variants == ALONE
        model.base.weight[bases[alone]] = vectors[alone]
        for variant in range(len(model.variant.weight)):
            mine = variants == variant
            model.variant.weight[variant] = (vectors - model.base.weight[bases])[mine].mean(0)
    return model


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")  # the splitting that tokens.py trains with
    writer.add_token_list(list(vocabulary.pieces))
    special = set(CONTROL)
    writer.add_token_types(
        [TokenType.CONTROL if p in special else TokenType.NORMAL for p in vocabulary.pieces]
    )
    writer.add_token_merges([" ".join(pair) for pair in vocabulary.merges])
    end = vocabulary.pieces.index(END)
    writer.add_bos_token_id(end)  # never added; llama.cpp would else assume GPT-2's number
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(value=False)
    writer.add_add_eos_token(value=False)


def _tensors(model: Llama) -> dict[str, Tensor]:
    """Name the weights as llama.cpp does."""
    found = {"token_embd.weight": model.embedding(), "output_norm.weight": model.norm.weight}
    for n, block in enumerate(model.blocks):
        query, key, value = block.query_key_value.weight.chunk(3)
        gate, up = block.gate_up.weight.chunk(2)
        layer = {
            "attn_norm": block.attention_norm.weight,
            "attn_q": query,
            "attn_k": key,
            "attn_v": value,
            "attn_output": block.output.weight,
            "ffn_norm": block.swiglu_norm.weight,
            "ffn_gate": gate,
            "ffn_up": up,
            "ffn_down": block.down.weight,
        }
        found |= {f"blk.{n}.{part}.weight": weights for part, weights in layer.items()}
    return found


def _add_tensor(
    writer: gguf.GGUFWriter, name: str, weights: Tensor, format_: GGMLQuantizationType
) -> None:
    numbers = weights.detach().float().contiguous().numpy().astype(np.float32)
    if numbers.ndim == 1:
        writer.add_tensor(name, numbers)
        return
    kind = GGMLQuantizationType.Q8_0 if name.startswith("token_embd") else format_
    writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
