"""How exporters call the inputs of a model for texts."""

from typing import Final

IDS, MASK, TYPES = "ids", "mask", "types"
ROLES: Final = {
    "attention_mask": MASK,
    "ids": IDS,
    "input": IDS,
    "input_ids": IDS,
    "input_mask": MASK,
    "input_type_ids": TYPES,
    "input_word_ids": IDS,
    "mask": MASK,
    "segment_ids": TYPES,
    "token_ids": IDS,
    "token_type_ids": TYPES,
    "tokens": IDS,
}
