"""What a service writes on standard error: fields for programs, and never what was asked."""

import json
import logging
import re
import time

import pytest

from firstline.logs import JsonFormatter, PlainFormatter, log_to_stderr

ASKED = "call bob@example.org"
WHEN_S = 1_795_289_923.0625


def record(message: str, *values: object, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "cloud_worker.service", "levelno": logging.INFO, "levelname": "INFO"}
        | {"msg": message, "args": values, "created": WHEN_S, "msecs": 62.5}
        | fields
    )
    assert made.name
    return made


def fail() -> None:
    empty: dict[str, str] = {}
    try:
        empty[ASKED]
    except KeyError as error:
        raise ValueError(ASKED) from error


def failed() -> logging.LogRecord:
    with pytest.raises(ValueError, match="bob") as found:
        fail()
    error = found.value
    return record("a mistake of ours", exc_info=(type(error), error, error.__traceback__))


def test_a_line_is_an_object_with_its_time_in_utc() -> None:
    line = json.loads(JsonFormatter().format(record("offline: %s", "gone")))

    assert line == {
        "ts": "2026-11-21T19:38:43.062Z",
        "level": "info",
        "logger": "cloud_worker.service",
        "message": "offline: gone",
    }


def test_fields_of_a_call_are_fields_of_the_object() -> None:
    line = json.loads(JsonFormatter().format(record("x", event="stopped", answered=7)))

    assert (line["event"], line["answered"], line["message"]) == ("stopped", 7, "x")


def test_no_field_takes_the_place_of_ours() -> None:
    line = json.loads(JsonFormatter().format(record("x", level="none", ts="never")))

    assert (line["level"], line["ts"][:4]) == ("info", "2026")


def test_a_message_of_several_lines_is_one_line() -> None:
    assert "\n" not in JsonFormatter().format(record("a\nb %s", "c\nd"))


@pytest.mark.parametrize("formatter", [PlainFormatter(), JsonFormatter()])
def test_an_exception_says_where_and_what_and_not_its_words(formatter: logging.Formatter) -> None:
    line = formatter.format(failed())

    assert ASKED not in line
    assert "bob" not in line
    assert re.search(r"test_logs\.py:\d+ in fail", line)
    assert line.index("KeyError") < line.index("ValueError")


def test_what_json_cannot_say_is_told_in_words() -> None:
    line = json.loads(JsonFormatter().format(record("x", place={1, 2})))

    assert line["place"] == "{1, 2}"


def test_the_log_goes_to_standard_error_and_is_as_loud_as_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = logging.getLogger().handlers[:]
    try:
        log_to_stderr(verbose=0, quiet=1, as_json=True)
        logging.getLogger("cloud_worker").info("quiet")
        logging.getLogger("cloud_worker").warning("loud", extra={"event": "e"})
    finally:
        logging.getLogger().handlers[:] = before

    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["message"], line["event"]) == ("loud", "e")
    assert abs(time.time() - time.mktime(time.strptime(line["ts"][:19], "%Y-%m-%dT%H:%M:%S"))) < 1e5
