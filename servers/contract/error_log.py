"""Makes what the libraries log go through the writer of the log, which never makes a server wait."""

import logging
import sys

from .log_writer import STDERR
from .request_log import encode, timestamp


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, and `message` with the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": timestamp(),
            "level": record.levelname,
            "logger": record.name,
            "message": super().format(record),
        }
        return encode(fields)


def set_up(*loggers: str, as_json: bool = False) -> None:
    """Make the handlers of these loggers that write to standard error use STDERR, as JSON if so asked."""
    STDERR.lost_line = _lost_object if as_json else _lost_sentence
    for name in loggers:
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stderr, sys.__stderr__):
                handler.setStream(STDERR)
                if as_json:
                    handler.setFormatter(JsonFormatter())


def _lost_sentence(count: int) -> str:
    return f"{timestamp()} {count} lines of this log were lost\n"


def _lost_object(count: int) -> str:
    return encode({"time": timestamp(), "lost": count}) + "\n"
