"""Removes query strings from access logs, since they may hold secrets (contract section 8)."""

import logging
import re

_QUERY = re.compile(r"\?[^\s\"']*")


class WithoutQueries(logging.Filter):
    """Replaces the query of every request target in a log line by `...`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place. Returns True, which keeps the line."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                _redacted(value) if isinstance(value, str) else value for value in record.args
            )
        record.msg = _redacted(str(record.msg))
        return True


def _redacted(text: str) -> str:
    return _QUERY.sub("?...", text)


WITHOUT_QUERIES = WithoutQueries()
