"""`agent run`, `worker run`, `broker up`, `fleet` and `ask`, each a real process."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.fleet.mosquitto import running_broker
from firstline import cli
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home, use_port

_PATIENCE_S = 60.0


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "firstline", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], _PATIENCE_S)[0]
    found = json.loads(process.stdout.readline())
    assert isinstance(found, dict)
    return found


def stop(process: subprocess.Popen[str], order: signal.Signals) -> tuple[int, str]:
    process.send_signal(order)
    _, err = process.communicate(timeout=_PATIENCE_S)
    return process.returncode, err


def ask(
    capsys: pytest.CaptureFixture[str], home: Home, *more: str
) -> tuple[int, dict[str, object]]:
    code = cli.main(["ask", "--settings", str(home.agent), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_a_broker_runs_until_it_is_told_to_stop(tmp_path: Path, order: signal.Signals) -> None:
    with started("broker", "up", "--dir", str(tmp_path / "broker"), "--json") as process:
        told = line_of(process)

        code, err = stop(process, order)

    assert (code, err) == (0, "")
    assert told["host"] == "127.0.0.1"
    assert isinstance(told["port"], int)
    assert not Path(f"/proc/{told['pid']}").exists()


def test_a_broker_that_dies_is_a_failure(tmp_path: Path) -> None:
    with started("broker", "up", "--dir", str(tmp_path / "broker"), "--json") as process:
        told = line_of(process)
        os.kill(int(str(told["pid"])), signal.SIGKILL)

        error = line_of(process)["error"]

        code = process.wait(_PATIENCE_S)

    assert code == ExitCode.FAILURE
    assert "mosquitto has ended by itself" in str(error)


def test_a_port_that_is_taken_is_a_failure_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_broker(tmp_path / "first") as first:
        words = ["broker", "up", "--dir", str(tmp_path / "second"), "--port", str(first.port)]

        code = cli.main(words)

    assert code == ExitCode.BROKER
    assert "choose another port" in capsys.readouterr().err


def test_without_a_cloud_the_answer_is_local_and_the_code_says_so(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = ask(capsys, home, "hello world bob@example.org", "--task", "typed")

    assert code == ExitCode.PARTIAL
    assert answer["answer"] == "high bob@example.org"
    assert answer["origin"] == "degraded"
    assert answer["model"] == "small 1.2.3"
    assert answer["flags"] == ["the broker cannot be reached: Connection refused"]


def test_people_see_who_answered(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["ask", "hello world", "--settings", str(home.agent), "--task", "home"])

    out = capsys.readouterr().out
    assert code == ExitCode.PARTIAL
    assert out.startswith(
        "high\n\norigin      degraded\nconfidence  0.0%\nmodel       small 1.2.3\n"
    )
    assert out.endswith("note        the broker cannot be reached: Connection refused\n")


def test_a_task_must_be_named_where_there_are_several(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ask(capsys, home, "hello")

    assert code == ExitCode.USAGE
    assert told["error"] == {
        "code": 2,
        "kind": "usage",
        "message": "say which task: there is home, typed",
        "fix": f"firstline ask TEXT --settings {home.agent} --task home",
    }


def test_an_input_that_the_task_refuses_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ask(capsys, home, " ", "--task", "home")

    assert code == ExitCode.FAILURE
    assert "The input is empty" in str(told["error"])


def test_a_running_agent_is_asked_through_its_folders(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with started("agent", "run", "--settings", str(home.agent), "--json") as agent:
        assert line_of(agent)["event"] == "started"

        code, answer = ask(capsys, home, "hello world", "--task", "home")
        refused, told = ask(capsys, home, " ", "--task", "home")
        unfit, why = ask(capsys, home, "hello", "--task", "typed")

        ended, err = stop(agent, signal.SIGTERM)

    assert (code, answer.get("answer")) == (ExitCode.PARTIAL, "high"), (answer, err)
    assert answer["origin"] == "degraded"
    assert (home.folder / "out" / f"{answer['ticket']}.json").exists()
    assert refused == ExitCode.FAILURE
    assert "The input is empty" in str(told["error"])
    assert unfit == ExitCode.FAILURE
    assert "takes its questions from stdin" in str(why["error"])
    assert ended == 0
    assert "online" not in err
    assert "offline: the broker cannot be reached" in err
    assert "hello" not in err
    assert "ERROR" not in err


def test_a_second_agent_on_the_same_state_is_refused(home: Home) -> None:
    with started("agent", "run", "--settings", str(home.agent), "--json") as agent:
        line_of(agent)
        with started("agent", "run", "--settings", str(home.agent)) as second:
            assert second.wait(_PATIENCE_S) == ExitCode.FAILURE
            assert second.stderr is not None
            assert "another agent runs" in second.stderr.read()


def test_an_agent_ends_when_its_only_input_has_ended(home: Home) -> None:
    head, *tasks = home.agent.read_text().split("[[tasks]]")
    home.agent.write_text("[[tasks]]".join([head, tasks[1]]))
    words = ["agent", "run", "--settings", str(home.agent), "-q", "--log-json"]
    with started(*words) as agent:
        out, err = agent.communicate("hello world\n\n", timeout=_PATIENCE_S)

    (answer,) = map(json.loads, out.splitlines())
    assert (agent.returncode, answer["answer"], answer["source"]) == (0, "high", "line 1")
    assert all(json.loads(line)["level"] == "warning" for line in err.splitlines())


def test_a_worker_answers_what_the_device_is_not_sure_of(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_broker(tmp_path / "mosquitto") as broker:
        use_port(home, broker.port)
        home.agent.write_text(home.agent.read_text().replace("0.5", "60.0"))
        with started("worker", "run", "--settings", str(home.worker), "--json") as worker:
            assert line_of(worker)["event"] == "started"

            begun_s = time.monotonic()
            code, answer = ask(capsys, home, "hello world bob@example.org", "--task", "typed")
            took_s = time.monotonic() - begun_s

            ended, err = stop(worker, signal.SIGTERM)

    assert (code, answer["answer"], answer["origin"]) == (0, "high bob@example.org", "cloud")
    assert took_s < 40  # less than it would wait
    assert ended == 0
    assert "bob" not in err
