"""`firstline model pack` of GGUF files: what the header tells, what the options become."""

import json
from pathlib import Path

import pytest

from broker.package.errors import EngineError
from broker.package.heads import TextHead
from broker.package.manifest import Manifest
from firstline import cli
from firstline.exits import ExitCode
from firstline.packing.gguf_file import read_gguf
from tests.unit.firstline.packed import pack
from tests.unit.package.gguf_files import CHAT, TOKENS, write_adapter, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "tiny.gguf")
    return tmp_path / "tiny.gguf"


def head_of(manifest: Manifest | None) -> TextHead:
    assert manifest is not None
    (head,) = manifest.heads
    assert isinstance(head, TextHead)
    return head


def test_a_header_tells_what_the_file_is(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", "pack", str(model), "--inspect", "--json"]) == 0

    facts = {each["what"]: each["how"] for each in json.loads(capsys.readouterr().out)["facts"]}
    assert facts["file"] == "GGUF, llama"
    assert facts["weights"].endswith("f32 100%")
    assert facts["context"] == "256 tokens at most"
    assert facts["chat"] == "no template"
    found = read_gguf(model)
    assert found.values["tokenizer.ggml.tokens"] == len(TOKENS)
    assert found.cache_bytes(100) == 100 * 2 * 32 * 2  # keys and values, width 32, float16


def test_a_file_without_a_template_is_prompted_plainly(model: Path) -> None:
    manifest = pack(model, "--max-tokens", "4")

    head = head_of(manifest)
    assert (head.chat, head.prompt, head.max_tokens) == (False, "{text}", 4)
    assert manifest is not None
    assert manifest.input.context == 256  # type: ignore[union-attr]


def test_a_file_with_a_template_is_chatted_with(tmp_path: Path) -> None:
    write_model(tmp_path / "tiny.gguf", chat=CHAT)

    head = head_of(pack(tmp_path / "tiny.gguf", "--system", "Be brief.", "--max-tokens", "4"))

    assert (head.chat, head.system) == (True, "Be brief.")


def test_labels_and_a_prompt_make_a_classifier(model: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("on\noff\n")
    labels = ("--labels", str(tmp_path / "labels.txt"), "--out-of-scope", "off")

    head = head_of(pack(model, *labels, "--prompt", "Light: {text} =>", "--context", "64"))

    assert (head.labels, head.out_of_scope, head.prompt) == (
        ("on", "off"),
        "off",
        "Light: {text} =>",
    )


def test_a_schema_and_an_adapter_are_packed(model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"type": "boolean"}')
    write_adapter(tmp_path / "lora.gguf")
    files = ("--schema", str(tmp_path / "mine.json"), "--adapter", str(tmp_path / "lora.gguf"))

    head = head_of(pack(model, *files))

    assert (head.schema, head.adapter) == ("schema.json", "adapter.gguf")


def test_an_architecture_that_nobody_runs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path / "odd.gguf", architecture="perceptron")

    assert pack(tmp_path / "odd.gguf", code=ExitCode.MODEL) is None

    assert "perceptron" in capsys.readouterr().err


def test_options_that_exclude_each_other_are_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.txt").write_text("on\noff\n")
    (tmp_path / "rules.gbnf").write_text('root ::= "on"')
    both = ("--labels", str(tmp_path / "labels.txt"), "--grammar", str(tmp_path / "rules.gbnf"))

    pack(model, *both, code=ExitCode.MODEL)

    assert "give labels, a grammar or a schema, not two of them" in capsys.readouterr().err


def test_a_file_cut_anywhere_is_refused(model: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in (4, 8, 23, 24, 100, 1000, 5000, len(whole) // 2, len(whole) - 64):
        cut.write_bytes(whole[:length])
        with pytest.raises(EngineError, match="is cut short"):
            read_gguf(cut)


def test_what_is_no_gguf_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_bytes(b"<html>404</html>")
    (tmp_path / "old.gguf").write_bytes(b"GGUF" + (1).to_bytes(4, "little") + bytes(40))

    with pytest.raises(EngineError, match="a web page"):
        read_gguf(tmp_path / "page.gguf")
    with pytest.raises(EngineError, match="GGUF version 1; known are 2 and 3"):
        read_gguf(tmp_path / "old.gguf")
