"""Odd multipart bodies: every reading against the others, and against two parsers that nobody here wrote.

The bodies are strings of what parsers trip over. Where a parser decides otherwise on purpose, the rule is
named below with what marks such a body, and an example shows that the difference is still there.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multipart import MultipartError
from python_multipart.exceptions import FormParserError

from clients.comparison.cases import rule_tiers
from tests.parsers import ALL_PARSERS, Form, read_form
from tests.reference_parsers.witnesses import NoName, read_by_defnull, read_by_python_multipart
from tests.sansio.splits import by_sizes

_D = b'Content-Disposition: form-data; name="a"'
_PART = b"--b\r\n" + _D + b"\r\n\r\n"
_TOKENS = (
    *(b"--b\r\n", _PART, _PART, b"\r\n" + _PART, b"\r\n--b\r\n", b"--b--", b"\r\n--b--", b"\r\n--b--\r\n"),
    *(b"--b", b"\r\n--bb\r\n", b"\r\n--b \t\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"-", b"--", b" ", b"\t"),
    *(b"v", b"text", b"b", b":", b"\0", b"\xff", b"\r\n\r\n", _D + b"\r\n", b"X-A: 1\r\n", b" fold\r\n"),
    *(_D + b'; filename="f"\r\n', b"Content-Type: text/plain\r\n", b"content-type: a/b\r\n"),
)
_LOOSE = st.lists(st.sampled_from(_TOKENS), max_size=10).map(b"".join)
_BODIES = st.one_of(_LOOSE, _LOOSE.map(lambda odd: _PART + odd + b"\r\n--b--"))
_CUTS = st.lists(st.integers(1, 60), max_size=8)

Triple = tuple[str, str | None, bytes]


def _form(name: str, body: bytes, sizes: Sequence[int] = ()) -> Form:
    return read_form(ALL_PARSERS[name], "multipart/form-data; boundary=b", by_sizes(body, sizes))


def _triples(form: Form) -> list[Triple] | None:
    """Name, filename and data of the parts, or None for a refusal."""
    return None if isinstance(form, str) else [(p.head.name, p.head.filename, p.data) for p in form]


@given(_BODIES, _CUTS)
def test_all_readings_make_the_same_of_odd_bodies(body: bytes, sizes: list[int]) -> None:
    forms = {name: _form(name, body, sizes) for name in ALL_PARSERS}
    # Two faults in one body have no order, so that codes may differ.
    found = {name: "refused" if isinstance(form, str) else repr(form) for name, form in forms.items()}
    assert len(set(found.values())) == 1, forms


@pytest.mark.parametrize("name", ALL_PARSERS)
@given(_BODIES, _CUTS)
def test_no_cut_shows_in_odd_bodies(name: str, body: bytes, sizes: list[int]) -> None:
    """Not even in the code of a refusal."""
    assert _form(name, body, sizes) == _form(name, body)


def _defnull(body: bytes) -> list[Triple] | None:
    """The parts of defnull's `multipart`; None when it refuses."""
    try:
        parts = read_by_defnull(b"b", [body])
    except MultipartError:
        return None
    return [(part.name, part.filename, part.data) for part in parts]


def _python_multipart(body: bytes) -> list[Triple] | None:
    """The parts of python-multipart; None when it refuses."""
    try:
        parts = read_by_python_multipart(b"b", [body])
    except (FormParserError, NoName):
        return None
    return [(part.name, part.filename, part.data) for part in parts]


Mark = Callable[[bytes], object]
_SHARED_CRLF = re.compile(rb"\r\n\r\n--b").search
_NEAR_DELIMITER = re.compile(rb"\r\n--b(?!--|[ \t]*\r\n)").search
_FOLD = re.compile(rb"\r\n[ \t]").search
_PADDING = re.compile(rb"--b[ \t]").search


def _has_preamble(body: bytes) -> bool:
    """Anything but CRLFs before the first delimiter."""
    return re.match(rb"(?:\r\n)*--b", body) is None


def _has_epilogue(body: bytes) -> bool:
    """Anything but a CRLF behind the close delimiter."""
    close = re.search(rb"(?:\A|\r\n)--b--", body)
    return close is not None and body[close.end() :] not in (b"", b"\r\n")


# By rule: how a body on which the parser differs is known, an example, and what the parser makes of it.
DEFNULL: Mapping[str, tuple[Mark, bytes, list[Triple] | None]] = {
    "M34": (_SHARED_CRLF, _PART + b"--b--", None),
    "M29": (_NEAR_DELIMITER, _PART + b"\r\n--bb\r\n--b--", None),
    "M30": (_PADDING, _PART + b"v\r\n--b \r\n" + _D + b"\r\n\r\nw\r\n--b--", None),
    "M13": (_has_preamble, b"\n\r\n--b--", []),
    "M17": (_has_epilogue, _PART + b"v\r\n--b--\r\n--b\r\n", [("a", None, b"v")]),
}
PYTHON_MULTIPART: Mapping[str, tuple[Mark, bytes, list[Triple] | None]] = {
    "M34": (_SHARED_CRLF, _PART + b"--b--", []),
    "M29": (_NEAR_DELIMITER, _PART + b"\r\n--b x\r\n--b--", None),
    "M16": (_has_epilogue, _PART + b"v\r\n--b--\r\nepilogue", [("a", None, b"v")]),
}


@given(_BODIES)
def test_defnull_strict_differs_only_where_a_rule_says_so(body: bytes) -> None:
    if any(mark(body) for mark, _, _ in DEFNULL.values()):
        return
    for name in ALL_PARSERS:
        assert _triples(_form(name, body)) == _defnull(body), name


@given(_BODIES)
def test_python_multipart_differs_only_where_a_rule_says_so(body: bytes) -> None:
    """It takes truncated bodies and bare line ends for whole ones: nothing is said of what we refuse."""
    if any(mark(body) for mark, _, _ in PYTHON_MULTIPART.values()):
        return
    for name in ALL_PARSERS:
        ours = _triples(_form(name, body))
        if ours is not None:
            assert ours == _python_multipart(body), name


@pytest.mark.parametrize(
    ("rule", "witness", "table"),
    [
        *(pytest.param(rule, _defnull, DEFNULL, id=f"defnull {rule}") for rule in DEFNULL),
        *(
            pytest.param(rule, _python_multipart, PYTHON_MULTIPART, id=f"python-multipart {rule}")
            for rule in PYTHON_MULTIPART
        ),
    ],
)
def test_each_named_difference_is_still_one(
    rule: str,
    witness: Callable[[bytes], list[Triple] | None],
    table: Mapping[str, tuple[Mark, bytes, list[Triple] | None]],
) -> None:
    assert rule in rule_tiers()
    mark, example, theirs = table[rule]
    assert mark(example)
    assert witness(example) == theirs
    for name in ALL_PARSERS:
        assert _triples(_form(name, example)) != theirs
