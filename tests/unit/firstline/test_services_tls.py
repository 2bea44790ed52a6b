"""The programs on a fleet's own broker, each a real process."""

import json
from pathlib import Path

import pytest

from broker.fleet.guard import guarded_broker
from firstline import cli
from tests.unit.firstline.conftest import Home
from tests.unit.firstline.test_services import line_of, started

pytestmark = pytest.mark.broker


def with_tls(home: Home, port: int) -> None:
    for path in (home.agent, home.worker):
        lines = path.read_text().splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("port ="))
        lines[at] = f"port = {port}\ntls = true"
        path.write_text("\n".join(lines).replace("patience_s = 0.5", "patience_s = 20.0"))


def test_a_question_of_the_command_line_goes_by_tls(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with guarded_broker(home.folder / "fleet", tmp_path / "broker") as broker:
        with_tls(home, broker.port)
        with started("worker", "run", "--settings", str(home.worker), "--json") as worker:
            assert line_of(worker)["event"] == "started"

            words = ["hello world bob@example.org", "--task", "typed", "--json"]
            code = cli.main(["ask", "--settings", str(home.agent), *words])

    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["answer"], answer["origin"]) == (0, "high bob@example.org", "cloud")


def test_a_certificate_that_is_missing_stops_a_program_at_once(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with_tls(home, 8883)
    (home.folder / "fleet/devices/kitchen/tls.pem").unlink()

    words = ["hello", "--task", "typed"]
    code = cli.main(["ask", "--settings", str(home.agent), *words])

    assert code == 5
    assert "tls.pem: No such file or directory. TLS needs it" in capsys.readouterr().err
