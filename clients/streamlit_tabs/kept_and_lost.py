"""What Streamlit keeps, changes and loses of an upload.

A browser sends each file to Streamlit in a request of its own: a PUT with a multipart form of one part. What
Streamlit hands over is the class `UploadedFile`. Seen with Streamlit 1.67 and Chromium 156;
`tests/streamlit_page/test_in_chromium.py` checks each row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One property of an upload, `what` Streamlit does with it (kept, changed, lost, or made), and why."""

    property: str
    what: str
    sentence: str


FACTS = (
    Fact("bytes, size, SHA-256", "kept", "All bytes arrive as the browser sent them, and stay in memory."),
    Fact(
        "file name",
        "changed",
        "A browser writes a quote as %22 and a line end as %0D%0A, and Streamlit does not turn them back.",
    ),
    Fact(
        "content type",
        "kept",
        "It is what the browser guesses from the file's name; an unknown one is application/octet-stream.",
    ),
    Fact("order", "kept", "Files are listed as they were chosen, whichever request ended first."),
    Fact("equal names", "kept", "Two files of one name stay two files, each with an id of its own."),
    Fact("id", "made", "Streamlit makes it and puts it into the URL of the PUT: it tells equal names apart."),
    Fact(
        "name of the form field",
        "lost",
        "The browser takes the name of the file for it. Streamlit ignores it.",
    ),
    Fact("part headers", "lost", "Only the file name and the type are taken from the headers of the part."),
    Fact(
        "fields beside files",
        "lost",
        "A request has one file alone. Values of other widgets come over a WebSocket.",
    ),
    Fact("time of the last change", "lost", "A browser knows it, but it does not send it."),
)
