"""Values of header fields that differ in each run: the name of a new upload, and when it expires.

Only a value of exactly this form is replaced. So a malformed one still differs.
"""

import re
from typing import Final

# contract section 2: 128 random bits in hexadecimal digits.
_UPLOAD: Final = re.compile(r"/resumable/[0-9a-f]{32}")
# IMF-fixdate (RFC 9110 5.6.7).
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}"
    r" [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
_FORMS: Final = {"location": (_UPLOAD, "/resumable/ID"), "upload-expires": (_DATE, "DATE")}


def without_random_values(name: str, value: str | None) -> str | None:
    """The value of the field `name`, in lower case, as it is compared."""
    form = _FORMS.get(name.lower())
    if form is None or value is None or not form[0].fullmatch(value):
        return value
    return form[1]
