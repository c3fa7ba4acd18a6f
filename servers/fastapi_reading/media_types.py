"""Media types (RFC 9110 8.3.1) and the multipart boundary (RFC 2046 5.1.1)."""

from ..contract.limits import MAX_BOUNDARY
from ..contract.problems import Problem
from ..contract.request import MediaType, Pair
from .characters import OWS, TCHARS, consists_of
from .scanner import ANY_BYTE, Parameter, ScanError, Scanner

# bchars (RFC 2046 5.1.1), and every token character: Android sends `boundary=*****` (M6).
_BOUNDARY_CHARS = TCHARS + b"'()+_,-./:=? "


def scan_media_type(value: bytes) -> MediaType:
    """A Content-Type value. Raises Problem `content_type_syntax` (C2, C4, C5, C6, M2, M7, M8, M11)."""
    try:
        return _scan(Scanner(value.strip(OWS)))
    except ScanError as error:
        raise Problem("content_type_syntax", f"Content-Type: {error}") from None


def _scan(scanner: Scanner) -> MediaType:
    major = scanner.token()
    if not scanner.accept(b"/"):
        raise scanner.fail("a slash")
    essence = (major + b"/" + scanner.token()).lower().decode("ascii")
    values: dict[str, str] = {}
    for parameter in scanner.parameters(escapable=ANY_BYTE):
        if parameter.name in values:
            raise scanner.fail(f"no second {parameter.name}")
        if not (parameter.quoted or _may_be_bare(parameter, essence)):
            raise scanner.fail(f"a token or a quoted string as {parameter.name}")
        values[parameter.name] = parameter.value.decode("iso-8859-1")
    return MediaType(essence, tuple(Pair(name, values[name]) for name in values))


def _may_be_bare(parameter: Parameter, essence: str) -> bool:
    """Whether the value is a token, or a boundary whose fault has a code of its own (M5, M6)."""
    value = parameter.value
    if (essence, parameter.name) == ("multipart/form-data", "boundary") and not (value and value.isascii()):
        return True
    return value != b"" and consists_of(value, TCHARS)


def read_boundary(media_type: MediaType) -> bytes:
    """The boundary. Raises Problem `boundary_missing` (M5) or `boundary_invalid` (M3, M4, M6, M9)."""
    for name, _ in media_type.parameters:
        plain, star, section = name.partition("*")
        if plain == "boundary" and star and (section == "" or section.removesuffix("*").isdecimal()):
            raise Problem("boundary_invalid", f"{name}: a boundary has no extended form")
    boundary = (media_type.parameter("boundary") or "").encode("iso-8859-1")
    if not boundary:
        raise Problem("boundary_missing", "Content-Type names no boundary")
    well_formed = consists_of(boundary, _BOUNDARY_CHARS) and not boundary.endswith(b" ")
    if not well_formed or len(boundary) > MAX_BOUNDARY:
        raise Problem("boundary_invalid", f"{boundary[:80]!r} is not 1 to {MAX_BOUNDARY} boundary characters")
    return boundary
