"""package.toml as pydantic sees it: one shape for each kind of model."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from broker.package.checked import Domain, FileName, Sha256, Strict, checked, read_text
from broker.package.errors import ManifestError

Label = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")]


class TextDocument(Strict):
    """[input] of a classifier or regressor for texts."""

    payload: Literal["text"]
    tokenizer: Literal["wordpiece-uncased", "tokenizer.json", "none"]
    vocabulary: FileName | None = None  # of WordPiece, or the tokenizer.json itself
    max_tokens: int = Field(default=0, ge=3, le=131_072)
    stand_ins: dict[Label, Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.tokenizer == "none") != (self.vocabulary is None):
            raise ValueError("a tokenizer needs its vocabulary, and only a tokenizer does")
        if (self.tokenizer == "none") != (self.max_tokens == 0):
            raise ValueError("a tokenizer needs max_tokens, and only a tokenizer does")
        return self


class WindowDocument(Strict):
    """[input] of a model for windows. No features: the model takes the samples themselves."""

    payload: Literal["window"]
    channels: list[str] = Field(min_length=1)
    length: int = Field(ge=1)  # samples of each channel
    rate_hz: float = Field(gt=0)
    units: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    layout: Literal["time_first", "channels_first"] = "time_first"  # of the samples


class RecordDocument(Strict):
    """[input] of a model for records: numbers in order, then strings with their categories.

    A model that has an input for each field takes them by name, and strings as they are: a
    string without categories may then be any.
    """

    payload: Literal["record"]
    numbers: tuple[str, ...] = ()
    strings: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class PromptDocument(Strict):
    """[input] of a language model."""

    payload: Literal["text"]
    context: int = Field(ge=16, le=1_048_576)  # tokens, of prompt and answer together


class LabelHeadDocument(Strict):
    """One output of a classifier. Without a name it is the model's only output."""

    domain: Domain
    output: str = ""
    labels: FileName
    out_of_scope: str | None = None
    scores: Literal["logits", "probabilities"] = "logits"


class NumberHeadDocument(Strict):
    """One output of a regressor. Without a name it is the model's only output."""

    domain: Domain
    output: str = ""
    deviation: str = ""  # the output with the standard deviation of the number, if there is one
    unit: str = ""
    tolerance: float = Field(gt=0)  # an answer off by no more than this is right


class TextHeadDocument(Strict):
    """One use of a language model: how it is asked, and what it may answer."""

    domain: Domain
    prompt: str = "{text}"  # special tokens count in it, and never in the text
    chat: bool = False  # the prompt goes as the user's message through the file's own template
    system: str = ""  # with chat
    max_tokens: int = Field(default=128, ge=1, le=65_536)
    stop: tuple[str, ...] = ()
    labels: FileName | None = None  # it answers with one of them
    grammar: FileName | None = None  # GBNF
    schema_: FileName | None = Field(default=None, alias="schema")  # JSON Schema
    adapter: FileName | None = None  # LoRA, attached for this domain
    out_of_scope: str | None = None
    score: Literal["first", "lowest", "mean", "product"] = "lowest"  # of the tokens' probabilities

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.prompt.count("{text}") != 1:
            raise ValueError("the prompt must have {text} in it, once")
        if self.system and not self.chat:
            raise ValueError("a system message needs chat = true")
        if sum(each is not None for each in (self.labels, self.grammar, self.schema_)) > 1:
            raise ValueError("give labels, a grammar or a schema, not two of them")
        return self


_Fact = str | int | float


class _Package(Strict):
    """What every package.toml says."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    file: FileName
    licence: str
    ram_mb: int = Field(ge=1)
    parent: str = ""
    files: dict[FileName, Sha256]
    training: dict[str, _Fact | dict[str, _Fact]] = Field(default_factory=dict)


_Numeric = Annotated[TextDocument | WindowDocument | RecordDocument, Field(discriminator="payload")]


class ClassifierDocument(_Package):
    """A model that answers with one of its labels."""

    kind: Literal["classification"]
    engine: Literal["onnxruntime"]
    input: _Numeric
    heads: list[LabelHeadDocument] = Field(min_length=1)


class RegressorDocument(_Package):
    """A model that answers with a number."""

    kind: Literal["regression"]
    engine: Literal["onnxruntime"]
    input: _Numeric
    heads: list[NumberHeadDocument] = Field(min_length=1)


class GeneratorDocument(_Package):
    """A model that answers with text."""

    kind: Literal["generation"]
    engine: Literal["llama.cpp"]
    input: PromptDocument
    heads: list[TextHeadDocument] = Field(min_length=1)


HeadDocument = LabelHeadDocument | NumberHeadDocument | TextHeadDocument
InputDocument = TextDocument | WindowDocument | RecordDocument | PromptDocument
PackageDocument = ClassifierDocument | RegressorDocument | GeneratorDocument


_SHAPES: Final[dict[str, type[PackageDocument]]] = {
    "classification": ClassifierDocument,
    "regression": RegressorDocument,
    "generation": GeneratorDocument,
}


def read_package(path: Path) -> PackageDocument:
    """Parse package.toml.

    Raises:
        ManifestError: it is missing, is no TOML, or has a wrong, missing or unknown key.
    """
    text = read_text(path)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        raise ManifestError(f"{path}: this is not valid TOML: {error}") from error
    kind = table.get("kind", "classification")
    if kind not in _SHAPES:
        raise ManifestError(f"{path}: kind: it must be one of {', '.join(_SHAPES)}")
    return checked(_SHAPES[kind], table, path, text)
