"""Removes query strings from access logs, since they may hold secrets (contract section 8)."""

import logging
import re

# It ends at a blank, or before the quote and the bracket that a message puts behind a request line.
_QUERY = re.compile(r"""\?\S*?(?=(?:["']\)?)?(?:\s|$))""")


class WithoutQueries(logging.Filter):
    """Replaces the query of every request target in a log line by `...`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place. Returns True, which keeps the line."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_queries(value) if isinstance(value, str) else value for value in record.args
            )
        record.msg = without_queries(str(record.msg))
        return True


def without_queries(text: str) -> str:
    """The text with `...` for the query of every request target in it."""
    return _QUERY.sub("?...", text)


WITHOUT_QUERIES = WithoutQueries()
