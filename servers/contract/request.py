"""The types of a parsed request and of its parts, used by every backend. No bytes are parsed here."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..storage.base import ReadableFile
from .canonical import pairs_text, string_text, text_of

if TYPE_CHECKING:
    from .appending import Appending

Kind = Literal["none", "text", "json", "form", "multipart", "bytes"]


class Pair(NamedTuple):
    """A name and its value: a query pair, a header field, a cookie, a parameter."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type that follows its grammar (RFC 9110 8.3.1).

    `essence` and the parameter names are in lower case; the values are unquoted.
    """

    essence: str
    parameters: tuple[Pair, ...] = ()

    def parameter(self, name: str) -> str | None:
        for pair in self.parameters:
            if pair.name == name:
                return pair.value
        return None

    @property
    def is_json(self) -> bool:
        """application/json, and every type with the structured suffix +json (RFC 6839 3.1, C8)."""
        return self.essence == "application/json" or self.essence.endswith("+json")

    @property
    def is_urlencoded(self) -> bool:
        return self.essence == "application/x-www-form-urlencoded"

    @property
    def is_text(self) -> bool:
        return self.essence.startswith("text/")

    @property
    def is_form_data(self) -> bool:
        return self.essence == "multipart/form-data"


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """Basic credentials that could be decoded (RFC 7617; A1 to A6, A10)."""

    username: str
    password: str

    def describe(self) -> dict[str, str]:
        return {"scheme": "basic", "username": self.username, "password": self.password}


@dataclass(frozen=True, slots=True)
class OtherCredentials:
    """Credentials of any other scheme, and Basic ones that do not decode (A4, A14).

    `scheme` is in lower case, `credentials` is verbatim.
    """

    scheme: str
    credentials: str

    def describe(self) -> dict[str, str]:
        return {"scheme": self.scheme, "credentials": self.credentials}


class DescribedHead(NamedTuple):
    """The members of the result that are about the head, each as canonical JSON."""

    method: str
    target: str
    path: str
    host: str
    args: str
    headers: str
    cookies: str
    auth: str


@dataclass(frozen=True)
class RequestHead:
    """A request's head after steps 1 to 5 of contract section 4.

    `headers` has one entry per name, sorted by name. Names are in lower case, values of repeated fields are
    joined, and names with `_` are left out. For an absolute-form target, Host is the authority of the target.
    `content_length` is None if the field was not sent, and at most BEYOND_ALL_LIMITS. `last_segment` is the
    last segment of the path, fully percent-decoded (`%2F` too).
    """

    method: str
    target: str
    path: str
    host: str | None
    args: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    cookies: tuple[Pair, ...]
    auth: BasicCredentials | OtherCredentials | None
    content_length: int | None
    chunked: bool
    last_segment: str
    https_target: bool = False

    @cached_property
    def fields(self) -> dict[str, str]:
        return dict(self.headers)

    @cached_property
    def described(self) -> DescribedHead:
        """What the result says of it."""
        return DescribedHead(
            method=string_text(self.method),
            target=string_text(self.target),
            path=string_text(self.path),
            host=string_text(self.host),
            args=pairs_text(self.args),
            headers=pairs_text(self.headers),
            cookies=pairs_text(self.cookies),
            auth=text_of(self.auth.describe() if self.auth else None),
        )

    def field(self, name: str) -> str | None:
        """The value of the header field `name` (lower case), or None."""
        return self.fields.get(name)


@dataclass(frozen=True, slots=True)
class PartHead:
    """The checked header block of a part (RFC 7578 4.2): the first event of each part.

    `headers` are in order of arrival with lower-case names; `content_type` is the verbatim value;
    `media_type` is None if the value is missing or not a valid media type. `quoted_printable` is the
    Content-Transfer-Encoding: the data must be such that decoding changes nothing (M75).
    """

    name: str
    filename: str | None
    headers: tuple[Pair, ...]
    content_type: str | None
    media_type: MediaType | None
    quoted_printable: bool = False


@dataclass(frozen=True, slots=True)
class PartData:
    """The next bytes of the current part. Valid until the next call of the parser."""

    data: bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The current part is complete: its delimiter was parsed."""


PartEvent = PartHead | PartData | PartEnd


@dataclass(frozen=True, slots=True)
class FormField:
    """A text field of a urlencoded or multipart body."""

    index: int
    name: str
    value: str
    headers: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a request; `stored` says whether it is in the store under its hash."""

    index: int
    name: str | None
    filename: str | None
    content_type: str | None
    headers: tuple[Pair, ...]
    size: int
    sha256: str
    stored: bool


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A complete, accepted body. `sha256` is None for the kinds `none` and `multipart`.

    `content` has the bytes on a route whose body is taken as it is, if there are any.
    """

    kind: Kind = "none"
    media_type: MediaType | None = None
    size: int = 0
    sha256: str | None = None
    text: str | None = None
    json: Any = None
    form: tuple[FormField, ...] = ()
    files: tuple[FileEntry, ...] = ()
    content: ReadableFile | None = None


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A complete, accepted request: the input of a route.

    `wants_digest` is the algorithm that the response should have a digest by: "" for none at all, None if the
    client says nothing about it. `appending` has appended the body to an upload that comes in pieces.
    """

    head: RequestHead
    body: ParsedBody
    wants_digest: str | None = None
    appending: "Appending | None" = None
