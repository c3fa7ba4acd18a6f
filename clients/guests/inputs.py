"""Which recorded requests the guests get: for each rule that parsers can disagree on, its smallest cases."""

from collections.abc import Mapping, Sequence

from ..assessment.fitting import fitted_cases
from ..comparison.cases import Case
from .endpoints import HERE

FAMILIES = ("M", "U", "J")
"""The first letters of the rules about multipart, urlencoded and JSON bodies."""

MOST_BYTES = 16384

# What most guests cannot take, because their server does not: chunks, and what WSGI has no length for.
_NOT_FOR_ALL = frozenset({"M89", "M90"})

_ALWAYS = frozenset(
    {
        *("preamble-of-header-lines", "epilogue-with-a-part", "part-transfer-encoding-base64"),
        *("delimiter-of-a-longer-boundary-is-data", "filename-ext-after-another-filename", "field-in-utf-7"),
    }
)
"""Splits that have become attacks; the smallest case of their rule is another one."""

PLAIN: Mapping[str, tuple[str, ...]] = {
    "a field and a file": ("multipart-field-and-typed-file",),
    "repeated names": ("fields-interleaved",),
    "an empty value": ("field-empty",),
    "a value that ends in CRLF": ("field-ending-in-crlf",),
    "an empty file": ("file-empty", "file-empty-of-a-text-type"),
    "a file of all 256 bytes": ("file-of-all-bytes", "file-of-all-bytes-with-a-text-type"),
    "a quoted boundary": ("boundary-quoted-without-need",),
    "names in UTF-8": ("name-in-utf8", "disposition-in-utf8"),
    "urlencoded: order and repeated names": ("form-keeps-order-and-repeats",),
    "urlencoded: an equals sign in a value": ("form-first-equals-sign-splits",),
    "urlencoded: UTF-8": ("form-percent-digits-in-both-cases",),
    "JSON": ("json-object",),
}
"""Plain uploads, each with the cases of which a guest has to read one rightly.

A guest that reads none of them rightly may have a faulty adapter, and is left out, unless `guests.toml` says
that this is its design. Some misread one of two: formidable takes a file without a type for a field.
"""


def chosen_inputs(cases: Sequence[Case]) -> list[Case]:
    """The smallest accepted and the smallest refused case of each rule, in the order of the rules."""
    found: dict[tuple[str, bool], Case] = {}
    for case in sorted(_possible(cases), key=lambda case: (len(case.request), case.name)):
        found.setdefault((case.rules[0], case.accepted), case)
    ordered = sorted(found, key=lambda key: (FAMILIES.index(key[0][0]), int(key[0][1:]), key[1]))
    chosen = [found[key] for key in ordered]
    names = {case.name for case in chosen}
    return chosen + [case for case in _possible(cases) if case.name in _ALWAYS - names]


def plain_inputs(cases: Sequence[Case]) -> list[Case]:
    """The cases of the plain uploads."""
    names = {name for alternatives in PLAIN.values() for name in alternatives}
    return [case for case in cases if case.name in names]


def _possible(cases: Sequence[Case]) -> list[Case]:
    return [
        fitted.case
        for fitted in fitted_cases(cases, HERE)
        if fitted.case.rules[0][0] in FAMILIES
        and not _NOT_FOR_ALL.intersection(fitted.case.rules)
        and len(fitted.request) <= MOST_BYTES
        and fitted.kind in ("multipart", "urlencoded", "json")
    ]
