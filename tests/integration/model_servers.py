"""Real model servers with a tiny real model, each a process of its own on a free port."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.fleet.mosquitto import LOOPBACK
from cloud_worker.completions import Prompt
from cloud_worker.openai import OpenAiCompleter, Use
from cloud_worker.server import ServerAddress
from tests.asker import DOMAIN
from tests.integration.running import free_port

MODEL = "tiny"
CONTEXT_TOKENS = 256  # as the model was made for
START_S = 60.0

Command = Callable[[Path, int], list[str]]


def llama_server(weights: Path, port: int) -> list[str]:
    """llama.cpp's own server, two questions at once."""
    program = os.environ.get("FIRSTLINE_LLAMA_SERVER")
    if not program:
        pytest.skip("FIRSTLINE_LLAMA_SERVER names no program: scripts/llama_server.sh makes one")
    tokens = str(2 * CONTEXT_TOKENS)  # of both slots together
    where = ["--host", LOOPBACK, "--port", str(port), "--alias", MODEL]
    return [program, "-m", str(weights), *where, "-c", tokens, "-np", "2", "-t", "1", "--offline"]


def python_server(weights: Path, port: int) -> list[str]:
    """The server of llama-cpp-python, one question at once."""
    pytest.importorskip("llama_cpp.server")
    where = ["--host", LOOPBACK, "--port", str(port), "--model_alias", MODEL]
    size = ["--n_ctx", str(CONTEXT_TOKENS), "--n_threads", "1"]
    program = [sys.executable, "-W", "ignore", "-m", "llama_cpp.server"]
    return [*program, "--model", str(weights), *where, *size]


@contextmanager
def serving(command: Command, weights: Path, log: Path) -> Iterator[str]:
    """A server's base URL; it may still be loading."""
    port = free_port()
    with (
        log.open("wb") as output,
        subprocess.Popen(command(weights, port), stdout=output, stderr=output) as process,
    ):
        try:
            yield f"http://{LOOPBACK}:{port}/v1"
        finally:
            process.kill()


@contextmanager
def asking(
    base_url: str,
    *,
    prompt: Prompt | None = None,
    concurrency: int = 2,
    timeout_s: float = 30.0,
    look_s: float = 10.0,
) -> Iterator[OpenAiCompleter]:
    """A completer on a server that is there."""
    address = ServerAddress(base_url=base_url, connections=concurrency)
    use = Use(
        domains=(DOMAIN,),
        prompt=prompt or Prompt(model=MODEL, max_tokens=8),
        timeout_s=timeout_s,
        look_s=look_s,
    )
    with OpenAiCompleter(address, use) as made:
        (engine,) = made.completers().values()
        give_up_s = time.monotonic() + START_S
        while not engine.ready():
            assert time.monotonic() < give_up_s
            time.sleep(0.05)
        yield made
