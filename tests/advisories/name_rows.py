"""Names that clients choose, and files that are served back (H150 to H161): CON, and never run."""

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clients.http1.response_parser import Response
from clients.launch import PROJECT_ROOT, start
from tests.advisories.assertions import Accepted, Refused, accepted, differs, intact, refused
from tests.advisories.attacks import Attack
from tests.advisories.echo_rows import NotInjected
from tests.advisories.messages import file, form, get, part, sized, text
from tests.advisories.target import Target

_MARK = "mark-x"
_OURS = re.compile(
    r"wireproof-store|files(/[0-9a-f]{64}|/probe-[0-9a-f]{32})?|staging(/[0-9]+-[0-9a-f]{32}(/[0-9]+)?)?"
    r"|resumable(/[0-9a-f]{32}(/(data|known|known\.new|writer|copy))?)?"
)
_SCRIPTS = (
    "<img src=x onerror=alert(1)>.txt",
    "'\"><script>alert(1)</script>",
    "${{7*7}}{{7*7}}",
    "';alert(1)//",
    "javascript:alert(1)",
)


def contained(target: Target) -> None:
    """CON: the store holds files under names of ours, and nothing was made anywhere a name could lead."""
    store = target.backend.store
    inside = [str(path.relative_to(store)) for path in store.rglob("*")]
    foreign = [name for name in inside if not _OURS.fullmatch(name)]
    assert not foreign, foreign
    around = {*store.parents, PROJECT_ROOT, Path("/etc"), Path("/tmp"), Path.home(), Path.cwd()}
    made = [path for folder in around for path in folder.glob(f"*{_MARK}*")]
    assert not made, made


@dataclass(frozen=True, slots=True)
class Named:
    """An upload whose file name is told as it was sent, and stored under its hash, and nowhere else."""

    request: bytes
    filename: str
    content: bytes

    def __call__(self, target: Target) -> Response:
        response = accepted(target, self.request)
        sha256 = hashlib.sha256(self.content).hexdigest()
        wanted = {"filename": self.filename, "sha256": sha256, "href": f"/files/{sha256}"}
        fault = differs(response.json()["files"], [wanted])
        assert not fault, fault
        intact(target, response, self.content)
        contained(target)
        return response


def _named(row: str, label: str, raw: bytes, filename: str | None = None) -> Attack:
    """A file name as it stands between its quotes, and what it is read as."""
    content = b"content of " + raw
    named = Named(form(file(b"f", raw, content)), raw.decode() if filename is None else filename, content)
    return Attack(row, label, named, tier=1)


def _traversals() -> Iterable[Attack]:
    names = {
        "up": f"../../{_MARK}",
        "up-backslash": f"..\\..\\{_MARK}",
        "absolute": f"/etc/{_MARK}",
        "drive": f"C:\\{_MARK}",
        "through": f"a/../../{_MARK}",
        "percent-slash": f"..%2f{_MARK}",
        "percent-dots": f"%2e%2e/{_MARK}",
        "doubled": f"....//....//{_MARK}",
        "percent-overlong": f"..%c0%af..%c0%af{_MARK}",
        "percent-nul": f"{_MARK}%00.png",
        "slash-dot": f"{_MARK}/.",
        "dot": ".",
        "dots": "..",
        "empty": "",
        "300-bytes": _MARK * 50,
        "right-to-left": f"{_MARK}\u202egnp.exe",
        "nfc": f"{_MARK}\u00e9",
        "nfd": f"{_MARK}e\u0301",
        "staging": f"../staging/{_MARK}",
        "tilde": f"~/{_MARK}",
    }
    for label, name in names.items():
        yield _named("H150", label, name.encode())
    for label, raw in (("overlong", b"\xc0\xae\xc0\xae/mark-x"), ("surrogate", b"\xed\xa0\x80mark-x")):
        yield _named("H150", label, raw, raw.decode("latin-1"))
    bad = form(file(b"f", b"mark-x\x00.png", b"x"))
    nul = Refused(bad, 400, "part_header_syntax", form(file(b"f", b"mark-x.png", b"x")))
    yield Attack("H150", "nul", nul, tier=1)
    paths = {
        "slashes": (b"..%2f..%2fmark-x", "../../mark-x"),
        "backslashes": (b"a%5c..%5cmark-x", "a\\..\\mark-x"),
        "dots": (b"%2e%2e", ".."),
        "bare-dots": (b"..", ".."),
        "etc": (b"%2Fetc%2Fmark-x", "/etc/mark-x"),
    }
    for label, (segment, name) in paths.items():
        content = b"put " + segment
        request = sized(b"/upload/" + segment, content, method=b"PUT")
        yield Attack("H150", f"put-{label}", Named(request, name, content), tier=1)


def _other_names() -> Iterable[Attack]:
    for name in ("CON", "aux.txt", "sub/NUL", "COM1 .x", "NUL:", "NUL::$DATA", "LPT1"):
        yield _named("H151", re.sub("[^A-Za-z0-9]+", "-", name).strip("-").lower(), name.encode())
    lost = Refused(get(b"/files/CON"), 404, "not_found", get(b"/CON"))
    yield Attack("H151", "read-back", lost, tier=1)
    for at, name in enumerate(_SCRIPTS):
        raw = name.replace('"', "%22").encode()
        yield _named("H154", f"filename-{at}", raw, name)
        see = {"form": [{"name": name, "value": name}]}
        field = form(part(b'form-data; name="%s"' % raw, name.encode()))
        yield Attack("H154", f"field-{at}", Accepted(field, see), tier=1)
        header = NotInjected(get(b"/page", b"X: " + name.encode()), 200, b"alert")
        yield Attack("H154", f"header-{at}", header, tier=1)
    yield _named("H155", "javascript", b"javascript:alert(1)")
    yield _named("H159", "leading-slash", b"/mark-x-twin")
    for at, twin in enumerate((b"twin.txt", b"TWIN.TXT", b"Twin.txt")):
        yield _named("H159", f"case-twin-{at}", twin)
    for parameter in ("q", "next", "callback", "redirect", "lang"):
        query = f"/page?{parameter}=%3C/script%3E%3Cscript%3Ealert(1)".encode()
        yield Attack("H158", parameter, NotInjected(get(query), 200, b"alert"), tier=1)


def _reads() -> Iterable[Attack]:
    targets = {
        "percent-slashes": b"/files/..%2f..%2fetc/passwd",
        "percent-dots": b"/files/%2e%2e%2fetc%2fpasswd",
        "dots": b"/files/../../etc/passwd",
        "empty-segment": b"/files//etc",
        "absolute": b"/files//etc/passwd",
        "folder": b"/files/",
        "staging": b"/files/..%2fstaging",
        "upper-case": b"/files/" + b"A" * 64,
        "63-digits": b"/files/" + b"a" * 63,
        "unknown": b"/files/" + b"a" * 64,
        "newline": b"/files/" + b"a" * 64 + b"%7f",
    }
    for name, request_target in targets.items():
        code = "bad_percent" if name == "newline" else "not_found"
        status = 400 if name == "newline" else 404
        yield Attack("H152", name, Refused(get(request_target), status, code, get(b"/page")), tier=1)
    prefix = Accepted(get(b"/files-secret"), {"path": "/files-secret", "body": {"kind": "none"}})
    yield Attack("H152", "prefix", prefix, tier=1)


def symlinks(target: Target) -> None:
    """H153: what lies in the store under a hash and is no regular file is not served."""
    files = target.backend.store / "files"
    accepted(target, form(file(b"f", b"a", b"x")))
    to_file, to_folder, to_itself, pipe, folder = (files / (name * 64) for name in "abcde")
    links = {to_file: Path("/etc/passwd"), to_folder: Path("/etc"), to_itself: to_itself}
    try:
        for link, goal in links.items():
            link.symlink_to(goal)
        os.mkfifo(pipe)
        folder.mkdir()
        for path in (*links, pipe, folder):
            response = target.talk(get(b"/files/" + path.name.encode()), half_close=True).only()
            refused(response, 404, "not_found")
    finally:
        for path in (*links, pipe):
            path.unlink(missing_ok=True)
        folder.rmdir()


@dataclass(frozen=True, slots=True)
class NeverRun:
    """H156, H157: a file comes back as an attachment of no type, sandboxed, whatever name and type it had."""

    filename: bytes
    content_type: bytes
    content: bytes

    def __call__(self, target: Target) -> Response:
        upload = form(file(b"f", self.filename, self.content, b"Content-Type: " + self.content_type))
        href = accepted(target, upload).json()["files"][0]["href"].encode()
        response = target.talk(get(href), half_close=True).only()
        assert response.body == self.content
        assert response.header("content-type") == "application/octet-stream"
        assert response.header("content-disposition") == "attachment"
        assert response.header("x-content-type-options") == "nosniff"
        assert response.header("content-security-policy") == "sandbox; default-src 'none'"
        return response


def _served_back() -> Iterable[Attack]:
    script = b"<script>alert(1)</script>"
    names = {
        "quotes": b"a%22.html; x=%22",
        "crlf": b"a%0D%0AX:",
        "batch": b"a.bat",
        "non-ascii": "ä€.txt".encode(),
    }
    for name, filename in names.items():
        yield Attack("H156", name, NeverRun(filename, b"text/html", script), tier=1)
    kinds = {
        "html": (b"a.html", b"text/html", script),
        "svg": (b"a.svg", b"image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'>" + script + b"</svg>"),
        "xml": (b"a.xml", b"text/xml", b"<?xml version='1.0'?><a/>"),
        "pdf": (b"a.pdf", b"application/pdf", b"%PDF-1.4"),
        "sniffable": (b"a.txt", b"text/plain", b"<!doctype html>" + script),
    }
    for name, (filename, content_type, content) in kinds.items():
        yield Attack("H157", name, NeverRun(filename, content_type, content), tier=1)


def names_are_hashes(target: Target) -> None:
    """H160: what a file is called follows from its content alone; there is no list, and no shorter name."""
    for at in range(30):
        content = b"guess %d" % at
        entry = accepted(target, form(file(b"f", b"a", content))).json()["files"][0]
        sha256 = hashlib.sha256(content).hexdigest()
        assert entry["href"] == f"/files/{sha256}"
        for shorter in (sha256[:8], sha256[:32], sha256[:63], sha256 + "0"):
            refused(target.talk(get(f"/files/{shorter}".encode()), half_close=True).only(), 404, "not_found")
    refused(target.talk(get(b"/upload/"), half_close=True).only(), 405, "method_not_allowed")


def modes(target: Target) -> None:
    """H161: files are 0600 and folders 0700, whatever the umask."""
    mask = os.umask(0)
    try:
        backend = start(target.name)
    finally:
        os.umask(mask)
    with backend:
        other = Target(target.name, "umask", backend)
        # The second file is staged in a folder of its request.
        accepted(other, form(file(b"f", b"a", b"1"), text(b"t", b"x"), file(b"g", b"b", b"2")))
        paths = [path for path in backend.store.rglob("*") if path.is_file()]
        assert len(paths) == 3  # with the marker of the store
        assert {path.stat().st_mode & 0o7777 for path in paths} == {0o600}
        folders = [path for path in backend.store.rglob("*") if path.is_dir()]
        assert {path.stat().st_mode & 0o7777 for path in folders} == {0o700}


NAMES: tuple[Attack, ...] = (
    *_traversals(),
    *_other_names(),
    *_reads(),
    *_served_back(),
    Attack("H153", "symlinks", symlinks, tier=1),
    Attack("H160", "hashes", names_are_hashes, tier=1),
    Attack("H161", "umask", modes, tier=1),
)
