"""The groups of findings, the worst first, and their kinds, each with a sentence."""

from enum import Enum, StrEnum


class Group(Enum):
    """How bad a finding is. The order is that of the report. The value is `(name, sentence)`."""

    SILENT_LOSS = (
        "silent loss",
        "The sender is told that all is well, and bytes or fields are missing or changed.",
    )
    CRASH = ("crash", "The server fails (5xx), closes the connection without an answer, or hangs.")
    READ_DIFFERENTLY = (
        "reads what others read differently",
        "A malformed request is accepted. Another parser, such as that of a firewall, may read other values.",
    )
    REFUSES_CLIENTS = ("refuses what real clients send", "Users of these clients cannot upload.")
    OTHER = ("other", "A right request is refused, or read in an unusual way; nothing is lost.")

    @property
    def title(self) -> str:
        """Its name."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What it means for the user."""
        return self.value[1]

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Group).index(self)


class Kind(StrEnum):
    """What is wrong, as a sentence. An accepted malformed request has a topic of `evidence.toml` instead."""

    EMPTY_FORM = "The whole form is empty."
    CUT_OFF = "A body that was cut off is accepted."
    FIELD_MISSING = "A field is missing."
    FILE_MISSING = "A file is missing."
    REPEATED_MISSING = "Of several values of one name, some are missing."
    BACKSLASHES = "Backslashes are lost."
    BYTES_ADDED = "A file has bytes that were not sent."
    BYTES_CHANGED = "The bytes of a file are changed."
    VALUE_CHANGED = "A value is changed."
    NAME_CHANGED = "The name of a field is changed."
    FILENAME_CHANGED = "A filename is changed or lost."
    TYPE_CHANGED = "The content type of a part is changed or lost."
    SERVER_ERROR = "The server answers with an error of its own."
    CLOSED = "The connection is closed without an answer."
    GONE = "The server can no longer be reached."
    HANG = "No answer comes in time."
    NOT_HTTP = "The answer is cut off, or is not valid HTTP."
    TWO_ANSWERS = "One request is read as two."
    FIELD_OR_FILE = "A part is a field for some parsers and a file for others."
    INVENTED = "A field, a file or a filename is read that was not sent."
    REDIRECT = "The answer is a redirect, unlike that to a plain request."
    NO_JSON = "The answer is no JSON object, as it is otherwise."
    REFUSED = "A right request is refused."
    SMALLER_LIMIT = "A limit of the server is smaller than that of our contract."
    ORDER = "The values of one name are in another order."
    NOTHING_CHOSEN = "A file input in which nothing was chosen is left out, or is a field."
    PATH_CUT = "The path before a filename is cut off."
