"""Logging of a service: to standard error, tickets, counts and reasons; never content."""

import json
import logging
import sys

_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)
_NORMAL = 2  # INFO


class JsonFormatter(logging.Formatter):
    """One object on one line, for journald and for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(*, verbose: int, quiet: int, as_json: bool) -> None:
    """Log from here on; for the front door of a service only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter(_PLAIN))
    level = _LEVELS[max(0, min(_NORMAL + verbose - quiet, len(_LEVELS) - 1))]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs an error when it is stopped while a notice is on its way, which harms nothing.
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)
    for talker in ("httpx", "httpcore"):  # a line for each request
        logging.getLogger(talker).setLevel(logging.WARNING)
