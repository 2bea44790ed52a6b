"""A LoRA adapter as a release of its own: a real one, put together on a board and asked."""

from pathlib import Path

from agent.update.assemble import Assembly, OnBoard
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.stock import Stock
from broker.package.load import load_package
from broker.wire.payload import Text
from broker.wire.release import Needs, digest
from tests.blocks import StockLine, a_download
from tests.unit.package.gguf_files import describe, write_adapter, write_model

FREE = {"domain": "free", "max_tokens": 12}


def test_an_adapter_is_all_that_comes_and_the_model_answers_with_it(tmp_path: Path) -> None:
    base, released = tmp_path / "base", tmp_path / "released"
    for folder in (base, released):
        folder.mkdir()
        write_model(folder / "model.gguf")
    write_adapter(released / "lora.gguf")
    describe(base, FREE)
    describe(released, {**FREE, "adapter": "lora.gguf"})
    stock = Stock(tmp_path / "fleet")
    head = Head("tiny", "0.1.1", "lora", Needs(engine="llama.cpp"))
    made = plan(stock, released, head, bases=[base], told=lambda _line: None)
    download, window, store = a_download(StockLine(stock), tmp_path / "state" / "blocks")
    packages = tmp_path / "state" / "packages"
    assembly = Assembly(folder=packages, store=store, download=download, board=OnBoard([base]))

    package = assembly.assemble(made, digest(made.write()))

    came = {"lora.gguf", "package.toml"}
    assert window.counters["bytes"] == sum((released / name).stat().st_size for name in came)
    assert (package / "model.gguf").samefile(base / "model.gguf")
    before, after = (load_package(folder) for folder in (base, package))
    assert before.answer(Text("lights"), "free") != after.answer(Text("lights"), "free")
