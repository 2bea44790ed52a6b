"""Packages that prove themselves, and such that cannot."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.models.engine import Engine
from agent.update.selftest import Limits, SelfTestError, prove
from broker.package.errors import ManifestError
from broker.package.golden import GOLDEN_FILE, Case, Golden, golden_text, read_golden
from broker.package.manifest import load_manifest
from broker.wire.payload import Record, Text, Window
from firstline.packing.golden import make_golden, write_golden
from tests.unit.agent.children import has_gone
from tests.unit.package.packages import SHIPPED, brought, copy_of, replace_weights
from tests.unit.update.packages import HERE

ROOMY = Limits(most_mb=10_000, most_ms=60_000.0, whole_s=60.0)


@pytest.fixture(scope="module")
def golden() -> Golden:
    found = make_golden(load_manifest(SHIPPED / "commands-small"))
    assert found is not None
    return found


@contextmanager
def engine_of(package: Path, timeout_s: float = 20.0) -> Iterator[Engine]:
    engine = Engine(package, timeout_s=timeout_s)
    try:
        yield engine
    finally:
        engine.stop()


def test_a_package_proves_itself_and_its_child_goes_on(golden: Golden) -> None:
    with engine_of(SHIPPED / "commands-small") as engine:
        proof = prove(engine, golden, Limits.of(golden, golden.speed, taken_mb=0, whole_s=60.0))

        assert (proof.answered, proof.agreed) == (8, 8)
        assert proof.ms > 0.0
        assert proof.ram_mb > 10
        assert (engine.pid is not None, engine.starts) == (True, 1)


def test_other_answers_than_where_it_was_released_are_refused(golden: Golden) -> None:
    others = replace(golden, cases=tuple(replace(each, answer="x") for each in golden.cases))

    with engine_of(SHIPPED / "commands-small") as engine:
        with pytest.raises(SelfTestError, match="8 of 8 golden questions otherwise"):
            prove(engine, others, ROOMY)

        assert engine.pid is None


def test_one_other_answer_of_eight_is_another_processor(golden: Golden) -> None:
    one = replace(golden.cases[0], answer="x")

    with engine_of(SHIPPED / "commands-small") as engine:
        proof = prove(engine, replace(golden, cases=(one, *golden.cases[1:])), ROOMY)

    assert proof.agreed == 7


def test_a_slow_package_is_refused(golden: Golden) -> None:
    with engine_of(SHIPPED / "commands-small") as engine:
        with pytest.raises(SelfTestError, match="an answer takes"):
            prove(engine, golden, replace(ROOMY, most_ms=0.0001))

        assert engine.pid is None


def test_a_package_that_takes_too_much_memory_is_ended_while_it_does(golden: Golden) -> None:
    with engine_of(SHIPPED / "commands-small") as engine:
        with pytest.raises(SelfTestError, match="more than 20 MB of memory"):
            prove(engine, golden, replace(ROOMY, most_mb=20))

        assert engine.pid is None


@pytest.mark.parametrize(
    ("weights", "words"), [(b"no model at all", "cannot be loaded"), (b"", "cannot be loaded")]
)
def test_weights_that_the_engine_refuses(tmp_path: Path, weights: bytes, words: str) -> None:
    package = brought(tmp_path)
    made = make_golden(load_manifest(package))
    assert made is not None
    replace_weights(package, weights)

    with engine_of(package) as engine, pytest.raises(SelfTestError, match=words):
        prove(engine, made, ROOMY)


def test_a_child_that_dies_of_its_weights_is_refused(golden: Golden) -> None:
    with engine_of(SHIPPED / "commands-small") as engine:
        ended = threading.Event()

        def strike() -> None:  # as an illegal instruction does
            while not ended.is_set():
                if engine.pid is not None and not has_gone(engine.pid):
                    os.kill(engine.pid, signal.SIGILL)
                time.sleep(0.001)

        striker = threading.Thread(target=strike)
        striker.start()
        try:
            with pytest.raises(SelfTestError, match="the engine child"):
                prove(engine, golden, ROOMY)
        finally:
            ended.set()
            striker.join()


def test_a_child_that_hangs_is_given_up(golden: Golden) -> None:
    with engine_of(SHIPPED / "commands-small", timeout_s=0.3) as engine:
        engine.load()
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)

        with pytest.raises(SelfTestError, match="did not answer within"):
            prove(engine, golden, ROOMY)


def test_the_test_ends_in_time(golden: Golden) -> None:
    with (
        engine_of(SHIPPED / "commands-small") as engine,
        pytest.raises(SelfTestError, match="self-test took more"),
    ):
        prove(engine, golden, replace(ROOMY, whole_s=0.0))


def test_bounds_follow_from_what_was_measured_and_from_this_board(golden: Golden) -> None:
    known = replace(golden, ms=40.0, speed=replace(HERE, compute=1000.0), ram_mb=100)

    limits = Limits.of(known, HERE, taken_mb=0, whole_s=60.0)

    assert (limits.most_mb, limits.most_ms) == (174, 400.0)


@pytest.mark.parametrize("name", ["commands-small", "engine-small", "snapshot-small"])
def test_what_a_package_is_asked_comes_back_from_its_file(tmp_path: Path, name: str) -> None:
    package = copy_of(name, tmp_path)
    (package / GOLDEN_FILE).unlink(missing_ok=True)
    assert read_golden(package) is None

    written = write_golden(package)

    assert written is not None
    assert read_golden(package) == replace(written, ms=round(written.ms, 4))
    kinds = {type(each.payload) for each in written.cases}
    assert kinds in ({Text}, {Window}, {Record})


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b'{"cases": []}',
        lambda text: text.replace(b'"text"', b'"txt"'),
        lambda text: text.replace(b'"agree":0.75', b'"agree":7'),
        lambda text: text + b" " * 300_000,
        lambda text: json.dumps(
            {**json.loads(text), "cases": [{"domain": "a", "answer": "b"}]}
        ).encode(),
    ],
)
def test_a_file_of_another_form_is_refused(
    tmp_path: Path, golden: Golden, broken: bytes | Callable[[bytes], bytes]
) -> None:
    content = broken(golden_text(golden)) if callable(broken) else broken
    (tmp_path / GOLDEN_FILE).write_bytes(content)

    with pytest.raises(ManifestError):
        read_golden(tmp_path)


@pytest.mark.parametrize(
    ("expected", "said", "agrees"),
    [
        ("21.5", "21.6", True),
        ("21.5", "22.5", False),
        ("on", "on", True),
        ("on", "off", False),
        (None, "x", True),
    ],
)
def test_numbers_agree_when_they_are_near(
    expected: str | None,
    said: str,
    agrees: bool,  # noqa: FBT001 - what is expected
) -> None:
    assert Case("d", Text("q"), expected).agrees(said) is agrees
