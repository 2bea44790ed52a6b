"""The worker's settings file: every key, its unit and its range."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator

from cloud_worker.completions import TEXT, Score
from firstline.settings.agent import DOMAIN, BrokerSection
from firstline.settings.source import Document, Fault, Section

API_KEY_FILE = "FIRSTLINE_API_KEY_FILE"  # in the environment, as containers name secrets
Domain = Annotated[str, Field(pattern=DOMAIN, max_length=128)]
Label = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^\S(.*\S)?$")]


def _key_of_the_environment() -> Path | None:
    named = os.environ.get(API_KEY_FILE)
    return Path(named) if named else None


class WorkerSection(Section):
    """The worker itself. Paths are relative to the settings file."""

    credentials: Path = Path("keys")  # a folder under `workers/` that `firstline fleet init` made
    state: Path = Path("state")  # claims and stored replies live here
    concurrency: int = Field(default=1, ge=1, le=256)  # questions that a package answers at once
    queue: int = Field(default=64, ge=1, le=100_000)  # claimed and waiting; beyond it: busy
    retry_after_s: float = Field(default=2.0, gt=0, le=3600)  # what a busy worker asks for
    drain_s: float = Field(default=10.0, gt=0, le=3600)  # to finish after a SIGTERM


class HttpSection(Section):
    """Pages for who runs the worker: /healthz, /readyz, /metrics. They ask nobody who he is."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=253)  # 0.0.0.0: everybody
    port: int | None = Field(default=None, ge=0, le=65_535)  # none: no pages; 0: any that is free
    hang_s: float = Field(default=30.0, ge=1, le=3600)  # silence of the loop that is a hang


class PackageSection(Section):
    """A model package that answers the domains it knows, in the worker's own process."""

    kind: str
    package: str  # a shipped package's name, or a folder
    threads: int = Field(default=1, ge=1, le=256)


class OnnxSection(PackageSection):
    """A package for onnxruntime."""

    kind: Literal["onnxruntime"] = "onnxruntime"


class LlamaSection(PackageSection):
    """A package for llama.cpp."""

    kind: Literal["llama.cpp"]


class OpenAiSection(Section):
    """A model behind an OpenAI-compatible server."""

    kind: Literal["openai"]
    base_url: str  # with the version: http://127.0.0.1:8000/v1
    model: str = Field(min_length=1, max_length=128)  # the server's name for it
    domains: tuple[Domain, ...] = Field(min_length=1)
    system: str = ""
    prompt: str = TEXT
    max_tokens: int = Field(default=256, ge=1, le=32_768)
    labels: tuple[Label, ...] = ()  # what may be answered; none: anything
    schema_file: Path | None = None  # JSON Schema of the answer
    score: Score = Score.MEAN
    timeout_s: float = Field(default=30.0, gt=0, le=3600)  # for one answer, tries included
    concurrency: int = Field(default=4, ge=1, le=256)  # requests at once
    api_key_file: Path | None = Field(default_factory=_key_of_the_environment)

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"no address: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError("it looks like http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("leave out names, passwords, ? and #; a key goes into api_key_file")
        return url

    @field_validator("prompt")
    @classmethod
    def _has_room(cls, prompt: str) -> str:
        if TEXT not in prompt:
            raise ValueError(f"say with {TEXT} where the question stands")
        return prompt


def _kind(value: object) -> str | None:
    if isinstance(value, Mapping):
        return str(value.get("kind", "onnxruntime"))
    return getattr(value, "kind", None)


EngineSection = Annotated[
    Annotated[OnnxSection, Tag("onnxruntime")]
    | Annotated[LlamaSection, Tag("llama.cpp")]
    | Annotated[OpenAiSection, Tag("openai")],
    Discriminator(_kind),
]


class WorkerSettings(Document):
    """The whole file."""

    worker: WorkerSection = WorkerSection()
    broker: BrokerSection = BrokerSection()
    http: HttpSection = HttpSection()
    engines: tuple[EngineSection, ...] = Field(min_length=1)

    def faults(self) -> Iterator[Fault]:
        """Domains that two servers answer for, labels that no JSON can be, a key for strangers."""
        first: dict[str, int] = {}
        yield from self._keys_for_several()
        for number, engine in enumerate(self.engines):
            if not isinstance(engine, OpenAiSection):
                continue
            for domain in engine.domains:
                if first.setdefault(domain, number) != number:
                    yield ("engines", number, "domains"), f"another engine answers for {domain!r}"
            if engine.labels and engine.schema_file:
                message = "either labels or a schema: a label is no JSON"
                yield ("engines", number, "schema_file"), message

    def _keys_for_several(self) -> Iterator[Fault]:
        servers = {
            number: engine
            for number, engine in enumerate(self.engines)
            if isinstance(engine, OpenAiSection)
        }
        several = len({engine.base_url for engine in servers.values()}) > 1
        for number, engine in servers.items():
            is_named = "api_key_file" in engine.model_fields_set
            if several and engine.api_key_file and not is_named:  # it is a secret of one of them
                message = f"{API_KEY_FILE} is for one server, and here are several: name a file"
                yield ("engines", number, "api_key_file"), message
