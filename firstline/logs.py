"""Logging of a service: to standard error, tickets, counts and reasons; never content.

    2026-11-21T19:38:43.125Z INFO cloud_worker.service: stopping: 3 questions are accepted
    {"ts": "2026-11-21T19:38:43.125Z", "level": "info", "logger": "cloud_worker.service",
     "message": "stopping: 3 questions are accepted", "event": "stopping", "accepted": 3}

Whatever a call gives as `extra` is a field of the object; `event` names what happened, for those
who count it. An exception's own words are left out: they may quote what was asked.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator

_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)
_NORMAL = 2  # INFO
_OF_LOGGING = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


class PlainFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__(_PLAIN)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """See logging.Formatter: RFC 3339, in UTC."""
        del datefmt
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{seconds}.{int(record.msecs):03d}Z"

    def formatException(self, ei: object) -> str:  # noqa: N802
        """See logging.Formatter: where it happened and of what kind, without its words."""
        error = ei[1] if isinstance(ei, tuple) else None
        return "\n".join(_trace(error)) if isinstance(error, BaseException) else ""


class JsonFormatter(PlainFormatter):
    """One object on one line, for journald and for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        line: dict[str, object] = {
            "ts": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = vars(record)
        line |= {name: fields[name] for name in fields if name not in _OF_LOGGING | line.keys()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr(*, verbose: int, quiet: int, as_json: bool) -> None:
    """Log from here on; for the front door of a service only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter())
    level = _LEVELS[max(0, min(_NORMAL + verbose - quiet, len(_LEVELS) - 1))]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs an error when it is stopped while a notice is on its way, which harms nothing.
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)
    for talker in ("httpx", "httpcore"):  # a line for each request
        logging.getLogger(talker).setLevel(logging.WARNING)


def _trace(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _trace(before)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
    yield type(error).__qualname__
