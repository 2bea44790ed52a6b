"""A worker whose settings name a model server: read, checked, built, looked at."""

import json
import time
from collections.abc import Iterator

import pytest

from broker.wire.messages import Question
from broker.wire.payload import Text
from firstline import cli
from firstline.build_worker import worker_process
from firstline.exits import ExitCode
from firstline.settings import source
from firstline.settings.problems import SettingsError
from firstline.settings.worker import WorkerSettings
from tests.model_server import MODEL, Scripted, scripted_server, send
from tests.unit.firstline.conftest import Home

pytest.importorskip("httpx")

SECTION = """\
[[engines]]
kind = "openai"
base_url = "{base_url}"
model = "large"
domains = ["home/lights", "home/heat"]
"""


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as script:
        yield script


def write(home: Home, base_url: str, more: str = "") -> int:
    """Add a model server to a worker's settings; return its first line."""
    before = home.worker.read_text()
    home.worker.write_text(before + SECTION.format(base_url=base_url) + more)
    return before.count("\n") + 1


PROBLEMS = {
    "kind": ('kind = "openai"', 'kind = "ai"', "there is 'onnxruntime', 'llama.cpp', 'openai'"),
    "modell": ("model =", "modell =", "unknown key, did you mean 'model'?"),
    "base_url": ('"http://a/v1"', '"a:8000"', "it looks like http://127.0.0.1:8000/v1"),
    "base_url secret": ('"http://a/v1"', '"http://me:pw@a/v1"', "api_key_file"),
    "base_url query": ('"http://a/v1"', '"http://a/v1?key=1"', "api_key_file"),
    "base_url port": ('"http://a/v1"', '"http://a:99999/v1"', "no address: Port out of range"),
    "domains": ('["home/lights", "home/heat"]', "[]", "at least 1 item"),
    "domains.0": ('"home/lights"', '"Home"', "should match pattern"),
    "prompt": ("model =", 'prompt = "hello"\nmodel =', "say with {text} where the question stands"),
    "labels.0": ("model =", 'labels = [" on"]\nmodel =', "should match pattern"),
    "score": ("model =", 'score = "best"\nmodel =', "'lowest', 'mean' or 'product'"),
    "max_tokens": ("model =", "max_tokens = 0\nmodel =", "greater than or equal to 1"),
    "timeout_s": ("model =", "timeout_s = 0\nmodel =", "greater than 0"),
    "concurrency": ("model =", "concurrency = 257\nmodel =", "less than or equal to 256"),
}  # fmt: skip


@pytest.mark.parametrize(("key", "right", "wrong", "told"), [(k, *v) for k, v in PROBLEMS.items()])
def test_a_mistake_is_told_with_its_key_and_line(
    home: Home, key: str, right: str, wrong: str, told: str
) -> None:
    write(home, "http://a/v1")
    home.worker.write_text(home.worker.read_text().replace(right, wrong))

    with pytest.raises(SettingsError) as refused:
        source.read(home.worker, WorkerSettings)

    name = key.partition(" ")[0]
    found = {each.key: each for each in refused.value.problems}[f"engines.1.{name}"]
    assert told in found.message
    line = home.worker.read_text().splitlines()[found.line - 1]
    assert line.startswith(name.partition(".")[0])


def test_two_servers_do_not_answer_for_one_domain(home: Home) -> None:
    write(home, "http://a/v1")
    write(home, "http://b/v1", 'labels = ["on"]\nschema_file = "answer.json"\n')

    with pytest.raises(SettingsError) as refused:
        source.read(home.worker, WorkerSettings)

    assert [each.key for each in refused.value.problems] == [
        *["engines.2.domains"] * 2,
        "engines.2.schema_file",
    ]


FILES = {
    "no key": ("api_key_file", None, "No such file"),
    "an empty key": ("api_key_file", b"\n", "must hold one key"),
    "more than a key": ("api_key_file", b"Bearer a\n", "must hold one key"),
    "two keys": ("api_key_file", b"a\nb\n", "must hold one key"),
    "a key that is no text": ("api_key_file", b"\xff", "is not UTF-8 text"),
    "a large key": ("api_key_file", b"a" * 300_000, "over 262144 characters"),
    "no schema": ("schema_file", None, "No such file"),
    "a schema that is no JSON": ("schema_file", b"{", "is no JSON"),
    "a schema that is a list": ("schema_file", b"[]", "is no JSON object"),
}


@pytest.mark.parametrize(("key", "content", "told"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_used_is_told_by_check_and_by_start(
    home: Home, capsys: pytest.CaptureFixture[str], key: str, content: bytes | None, told: str
) -> None:
    line = write(home, "http://127.0.0.1:1/v1", f'{key} = "the.file"\n')
    if content is not None:
        (home.folder / "the.file").write_bytes(content)

    assert cli.main(["config", "check", str(home.worker), "--json"]) == ExitCode.SETTINGS
    (found,) = json.loads(capsys.readouterr().out)["error"]["problems"]
    with pytest.raises(SettingsError) as refused, worker_process(home.worker):
        pass

    assert (found["line"], found["key"]) == (line + 5, f"engines.1.{key}")
    assert told in found["message"]
    assert [each.message for each in refused.value.problems] == [found["message"]]


def test_a_package_for_another_engine_is_told_by_check_and_by_start(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.worker.write_text(home.worker.read_text() + 'kind = "llama.cpp"\n')

    assert cli.main(["config", "check", str(home.worker), "--json"]) == ExitCode.SETTINGS
    (found,) = json.loads(capsys.readouterr().out)["error"]["problems"]
    with pytest.raises(SettingsError, match=r"needs onnxruntime"), worker_process(home.worker):
        pass

    assert (found["key"], found["message"]) == ("engines.0.kind", "small needs onnxruntime")


def test_a_server_and_a_package_do_not_answer_for_one_domain(home: Home, server: Scripted) -> None:
    write(home, server.base_url)
    home.worker.write_text(home.worker.read_text().replace("home/heat", "home"))

    match = "two engines answer for home"
    with pytest.raises(SettingsError, match=match), worker_process(home.worker):
        pass


def test_a_worker_asks_the_server_of_its_settings(home: Home, server: Scripted) -> None:
    (home.folder / "key").write_text("k-1\n")
    (home.folder / "answer.json").write_text('{"type": "object"}')
    server.answer = send({"choices": [{"message": {"content": "{}"}}]})
    more = 'system = "S"\nprompt = "P {text}"\nmax_tokens = 9\nscore = "none"\n'
    write(home, server.base_url, more + 'api_key_file = "key"\nschema_file = "answer.json"\n')

    with worker_process(home.worker) as service:
        completers = service._worker.completers
        question = Question("home/heat", Text("warmer"))
        answer = completers["home/heat"].complete(question, time.monotonic() + 10.0)

    assert (answer.text, answer.model) == ("{}", MODEL)
    assert completers["home/heat"] is completers["home/lights"]
    (body,) = server.asked
    assert body["max_tokens"] == 9
    assert body["messages"] == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "P warmer"},
    ]
    assert "logprobs" not in body
    assert "response_format" in body
    assert server.headers[0]["Authorization"] == "Bearer k-1"


def look(home: Home, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What the doctor says of model servers and keys."""
    cli.main(["doctor", "--settings", str(home.worker), "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return [(c["state"], c["seen"]) for c in checks if c["name"] == "model server"]


def test_the_doctor_looks_at_model_servers(
    home: Home, server: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, server.base_url)
    url = server.base_url

    well = look(home, capsys)
    server.models = send({"data": [{"id": "small"}]})
    other = look(home, capsys)
    server.models = send(b"", 401)
    denied = look(home, capsys)
    server.models = send(b"", 404)
    unlisted = look(home, capsys)
    server.models = send(b"", 503)
    away = look(home, capsys)

    assert well == [("ok", f"{url} has large")]
    assert other == [("fail", f"{url} has no model large, but small")]
    assert denied == [("fail", f"{url} refuses the key: HTTP 401")]
    assert unlisted == [("warn", f"{url} lists no models: HTTP 404")]
    assert away == [("fail", f"{url} is away: HTTP 503")]


def test_a_key_that_others_may_read_is_told(
    home: Home, server: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    key = home.folder / "key"
    key.write_text("k-1\n")
    key.chmod(0o644)
    write(home, server.base_url, 'api_key_file = "key"\n')

    cli.main(["doctor", "--settings", str(home.worker), "--json"])

    checks = json.loads(capsys.readouterr().out)["checks"]
    assert {"fail"} == {c["state"] for c in checks if c["seen"] == f"others may read {key}"}
