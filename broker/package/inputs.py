"""What a model takes, as frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextInput:
    """A model for texts."""

    tokenizer: str  # "none": the model cuts the text itself
    vocabulary: str  # file name, or empty
    max_tokens: int
    # What it reads for a placeholder such as <PERSON_1>, if it has learned from texts without any.
    stand_ins: tuple[tuple[str, str], ...] = ()  # (label, words)


@dataclass(frozen=True, slots=True)
class WindowInput:
    """A model for windows (length, channels)."""

    channels: tuple[str, ...]
    length: int  # samples of each channel
    rate_hz: float
    units: tuple[str, ...]
    features: tuple[str, ...]  # of each channel; none: the samples themselves
    layout: str = "time_first"  # of the samples; or "channels_first"


@dataclass(frozen=True, slots=True)
class RecordInput:
    """A model for records."""

    numbers: tuple[str, ...]  # field names
    strings: tuple[tuple[str, tuple[str, ...]], ...]  # (field name, its categories; none: any)


@dataclass(frozen=True, slots=True)
class PromptInput:
    """A language model."""

    context: int  # tokens, of prompt and answer together


Input = TextInput | WindowInput | RecordInput | PromptInput
