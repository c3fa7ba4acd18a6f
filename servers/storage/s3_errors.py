"""The failures of an object store, as the OSError that stores raise."""

import re
from errno import EIO, ENOSPC
from typing import Final

# No room: RFC 4918 11.5, and what stores say with 4xx.
_FULL: Final = re.compile(r"\b507\b|QuotaExceeded|StorageFull|InsufficientStorage|EntityTooLarge")
_CODE: Final = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3})")


def store_error(text: str, status: int | None = None) -> OSError:
    """The OSError for a response or a message of the client library. It shows no address and no key."""
    if status is None and (match := _STATUS.search(text)):
        status = int(match[1])
    if status is None:
        return OSError(EIO, "the object store does not respond")
    code = _CODE.search(text)
    reason = f"{status} {code[1]}" if code else str(status)
    errno = ENOSPC if _FULL.search(reason) else EIO
    return OSError(errno, f"the object store responded with {reason}")
