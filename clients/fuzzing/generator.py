"""The requests of a run: the same seed and index always make the same request.

42 % of them are accepted by all rules, 24 % have one fault, 5 % are recorded, and 29 % are mutated. A request
with one fault must be refused with the same code by every backend.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..comparison.cases import Case
from . import body_grammar, credential_grammar, framing_grammar, head_grammar, limit_grammar, routes_grammar
from .draft import Draft, FuzzRequest, Place, Production, Rng
from .multipart_form import MULTIPART_FAULTS, WHOLE, place_form
from .mutations import boundary_of, mutate_body, mutate_request, split_offsets

_Placed = tuple[Place, Production]

INEXPRESSIBLE: Mapping[str, str] = {
    "B3": "a time-out, which takes half a minute for each request",
    "B4": "T3: bytes after the first request are not compared",
    "B40": "T3: a client cannot see whether a body was read before its refusal",
    "B42": "a body of exactly 16 GiB",
    "H36": "a slow head: the pieces of a generated request are sent at once",
    "P9": "two requests at the same time",
    "P15": "a second request, which must know the id of the upload",
    "P16": "T3: interim responses are not compared",
    "S2": "is not compared",
    "S8": "is not compared",
    "S9": "a client that has not finished sending: every request is sent whole",
    "W6": "details are not compared: each backend words its own",
}
"""Rules that no generated request exercises, each with the reason."""

_RARE = 0.02


def _rows(table: Sequence[tuple[Place, tuple[Production, ...]]]) -> list[_Placed]:
    return [(place, production) for place, productions in table for production in productions]


_HEAD_FAULTS = _rows(head_grammar.HEAD_FAULTS)
_BODY_FAULTS = _rows(body_grammar.BODY_FAULTS)
_FRAMING_FAULTS = _rows(framing_grammar.FRAMING_FAULTS)
_MULTIPART_FAULTS = _rows(MULTIPART_FAULTS)
_ROUTE_FAULTS = _rows(routes_grammar.ROUTE_FAULTS)
_BODIES = _rows(body_grammar.BODIES)
_WHOLE = _rows(WHOLE)
_LIMITS = _rows(limit_grammar.LIMITS)
_LARGE = [(body_grammar.place_large, production) for production in body_grammar.LARGE]


class Generator:
    """Makes the requests of one seed. `cases` are recorded requests that are sent and mutated too."""

    def __init__(self, seed: int, cases: Sequence[Case] = ()) -> None:
        self.seed = seed
        # A pipeline has several responses, which only socket gets (T3).
        self._cases = [case for case in cases if case.tier <= 2 and case.client == "raw"]
        self._small = [case for case in self._cases if len(case.request) <= 8192]

    def requests(self, count: int | None = None) -> Iterator[FuzzRequest]:
        """The first `count` requests; without it they never end."""
        index = 0
        while count is None or index < count:
            yield self.request(index)
            index += 1

    def request(self, index: int) -> FuzzRequest:
        """The request of that index."""
        rng = random.Random(f"{self.seed} {index}")
        chance = rng.random()
        if chance < 0.42:
            return _finished(index, _accepted(rng), rng)
        if chance < 0.66 or not self._cases:
            return _finished(index, _faulty(rng), rng)
        if chance < 0.71:
            case = rng.choice(self._cases if rng.random() < _RARE else self._small)
            return _recorded(index, case, rng)
        return self._mutated(index, rng)

    def _mutated(self, index: int, rng: Rng) -> FuzzRequest:
        """A mutated body with correct framing, or a mutated request: recorded, accepted or faulty."""
        origin, tier = "grammar", 2
        if rng.random() < 0.5:
            draft = _mutated_body(rng)
            data, tier = draft.render(rng), draft.tier
        elif rng.random() < 0.4:
            case = rng.choice(self._small)
            data, origin = mutate_request(case.request, rng), case.name
        else:
            draft = _accepted(rng) if rng.random() < 0.8 else _faulty(rng)
            data = mutate_request(draft.render(rng), rng)
        return FuzzRequest(
            index,
            data,
            _splits(data, rng),
            tier=tier,
            multipart=b"multipart/form-data" in data,
            origin=f"{origin}, mutated",
        )


def _mutated_body(rng: Rng) -> Draft:
    draft = _base(rng)
    place, production = _body(rng)
    place(draft, rng, production)
    draft.body = mutate_body(draft.body, rng, boundary_of(draft.content_type or b""))
    _frame(draft, rng)
    _hide(draft)
    return draft


def _finished(index: int, draft: Draft, rng: Rng) -> FuzzRequest:
    _hide(draft)
    data = draft.render(rng)
    splits = _splits(data, rng)
    rules = draft.rules | ({"M89"} if splits else set())
    return FuzzRequest(
        index,
        data,
        splits,
        frozenset(rules),
        draft.fault_rules,
        draft.faults <= 1,
        draft.tier,
        draft.multipart,
    )


def _hide(draft: Draft) -> None:
    """Raise the tier where a development server hides the combination of two constructs."""
    lines = [line.partition(b":") for line in b"\r\n".join(draft.lines).split(b"\r\n")]
    names = Counter(name.lower() for name, _, _ in lines)
    if names[b"cookie"] > 1:
        draft.covers("H21")
    # The server joins repeated fields before it trims them, and replaces Host by the target's authority.
    blanks = any(names[name.lower()] > 1 and value.rstrip(b" \t") != value for name, _, value in lines)
    if blanks or (draft.faults and not draft.target.startswith(b"/")):
        draft.tier = max(draft.tier, 2)


def _recorded(index: int, case: Case, rng: Rng) -> FuzzRequest:
    """A recorded case as it is. If it expects any refusal it has two faults, which have no order."""
    refused = not case.accepted
    return FuzzRequest(
        index,
        case.request,
        _splits(case.request, rng),
        frozenset() if refused else frozenset(case.rules),
        case.rules if refused else (),
        not case.expect.refused,
        case.tier,
        b"multipart/form-data" in case.request,
        case.name,
    )


def _splits(data: bytes, rng: Rng) -> tuple[int, ...]:
    return split_offsets(data, rng) if rng.random() < 0.05 else ()


def _accepted(rng: Rng) -> Draft:
    draft = _base(rng)
    if rng.random() < 0.06:
        routes_grammar.place_route(draft, rng, rng.choice(routes_grammar.ROUTES))
        return draft
    _vary_head(draft, rng)
    if draft.body or draft.framing is not None:
        return draft
    place, production = _body(rng)
    place(draft, rng, production)
    _frame(draft, rng)
    return draft


def _faulty(rng: Rng) -> Draft:
    """One fault in an otherwise correct request. The weights follow the number of rules of each group."""
    draft = _base(rng)
    if rng.random() < 0.3:
        _vary_head(draft, rng, methods=False)
    draft.framing = None
    group = rng.choices(
        (_MULTIPART_FAULTS, _HEAD_FAULTS, _FRAMING_FAULTS, _BODY_FAULTS, _ROUTE_FAULTS), (50, 22, 14, 12, 4)
    )[0]
    place, production = _choose(group, rng)
    if group is _ROUTE_FAULTS:
        place(draft, rng, production)
        return draft
    if group is _BODY_FAULTS or group is _MULTIPART_FAULTS:
        place(draft, rng, production)
        if not draft.body:
            draft.body = b"v"
        _frame(draft, rng)
        return draft
    body_place, body_production = _body(rng)
    body_place(draft, rng, body_production)
    if group is _FRAMING_FAULTS:
        place(draft, rng, production)
        return draft
    _frame(draft, rng)
    place(draft, rng, production)
    draft.fault_rules = (*draft.fault_rules, "S5")
    return draft


def _choose(rows: Sequence[_Placed], rng: Rng) -> _Placed:
    """A random row. Rows of many bytes are mostly skipped: they take more time than all others together."""
    place, production = rng.choice(rows)
    if _is_large(production) and rng.random() > 0.25:
        return _choose(rows, rng)
    return place, production


def _is_large(production: Production) -> bool:
    return any(
        b"1 MiB" in sample or sample == b"over" or sample.endswith(b"parts") for sample in production.samples
    )


def _base(rng: Rng) -> Draft:
    """A plain request line, mostly for a path that stores nothing: storing is slow, and shared code."""
    draft = Draft(method=rng.choices((b"POST", b"PUT"), (9, 1))[0])
    draft.target = rng.choices((b"/", b"/upload/", b"/a/b?q=1"), (80, 4, 16))[0]
    draft.covers("R1")
    return draft


def _vary_head(draft: Draft, rng: Rng, *, methods: bool = True) -> None:
    if methods and rng.random() < 0.3:
        draft.method, draft.target = rng.choice(head_grammar.METHODS), b"/"
        draft.covers("S1 B13" if draft.method == b"HEAD" else "B13")
    if rng.random() < 0.4:
        _vary_target(draft, rng)
    if methods and rng.random() < 0.02:
        head_grammar.place_asterisk(draft, rng, head_grammar.ASTERISKS[0])
    if rng.random() < 0.02:
        head_grammar.place_empty_line(draft, rng, head_grammar.EMPTY_LINES[0])
    if rng.random() < 0.5:
        head_grammar.place_field(draft, rng, rng.choice(head_grammar.FIELDS))
    if methods and rng.random() < 0.1:
        head_grammar.place_http_1_0(draft, rng, rng.choice(head_grammar.VERSIONS))
    for table, place, chance in (
        (credential_grammar.COOKIES, credential_grammar.place_cookie, 0.25),
        (credential_grammar.CREDENTIALS, credential_grammar.place_credentials, 0.25),
        (head_grammar.HOSTS, head_grammar.place_host, 0.1 if draft.host is not None else 0),
    ):
        if rng.random() < chance:
            place(draft, rng, rng.choice(table))
    if methods and rng.random() < 0.02:
        place_limit, production = rng.choice(_LIMITS)
        place_limit(draft, rng, production)


def _vary_target(draft: Draft, rng: Rng) -> None:
    chance = rng.random()
    if chance < 0.9:
        head_grammar.place_target(draft, rng, rng.choice(head_grammar.TARGETS))
    elif draft.host is not None:
        head_grammar.place_target(draft, rng, rng.choice(head_grammar.ABSOLUTE))


def _body(rng: Rng) -> _Placed:
    """How to make an accepted body; six in ten are multipart."""
    chance = rng.random()
    if chance < 0.6:
        return place_form, _BODIES[0][1]
    if chance < 0.605:
        return _choose([*_WHOLE, *_LARGE], rng)
    return rng.choice(_BODIES)


def _frame(draft: Draft, rng: Rng) -> None:
    if rng.random() < 0.2 and draft.version != b"HTTP/1.0":
        framing_grammar.frame_by_chunks(draft, rng)
    else:
        framing_grammar.frame_by_length(draft, rng)
