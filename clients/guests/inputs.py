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

PLAIN: Mapping[str, str] = {
    "multipart-field-and-typed-file": "a field and a file",
    "fields-interleaved": "repeated names",
    "field-empty": "an empty value",
    "field-ending-in-crlf": "a value that ends in CRLF",
    "file-empty-of-a-text-type": "an empty file",
    "file-of-all-bytes-with-a-text-type": "a file of all 256 bytes",
    "boundary-quoted-without-need": "a quoted boundary",
    "disposition-in-utf8": "names in UTF-8",
    "form-keeps-order-and-repeats": "urlencoded: order and repeated names",
    "form-first-equals-sign-splits": "urlencoded: an equals sign in a value",
    "form-raw-utf8": "urlencoded: UTF-8",
    "json-object": "JSON",
}
"""Plain uploads. A guest that reads one of them in another way has a faulty adapter, and is left out."""


def chosen_inputs(cases: Sequence[Case]) -> list[Case]:
    """The smallest accepted and the smallest refused case of each rule, in the order of the rules."""
    found: dict[tuple[str, bool], Case] = {}
    for case in sorted(_possible(cases), key=lambda case: (len(case.request), case.name)):
        found.setdefault((case.rules[0], case.accepted), case)
    ordered = sorted(found, key=lambda key: (FAMILIES.index(key[0][0]), int(key[0][1:]), key[1]))
    return [found[key] for key in ordered]


def plain_inputs(cases: Sequence[Case]) -> list[Case]:
    """The plain uploads."""
    return [case for case in cases if case.name in PLAIN]


def _possible(cases: Sequence[Case]) -> list[Case]:
    return [
        fitted.case
        for fitted in fitted_cases(cases, HERE)
        if fitted.case.rules[0][0] in FAMILIES
        and not _NOT_FOR_ALL.intersection(fitted.case.rules)
        and len(fitted.request) <= MOST_BYTES
        and fitted.kind in ("multipart", "urlencoded", "json")
    ]
