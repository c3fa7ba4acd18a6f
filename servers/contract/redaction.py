"""What a server's own access log must not repeat: queries, where secrets are (contract section 8)."""

import logging
import re

_QUERY = re.compile(r"\?[^\s\"']*")


class WithoutQueries(logging.Filter):
    """Cuts the query out of every target that a log line quotes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: the line stays."""
        if isinstance(record.args, tuple):
            record.args = tuple(_cut(value) if isinstance(value, str) else value for value in record.args)
        record.msg = _cut(str(record.msg))
        return True


def _cut(text: str) -> str:
    return _QUERY.sub("?...", text)


WITHOUT_QUERIES = WithoutQueries()
