"""Makes multipart/form-data bodies from their productions; each has at most one fault, or any octets."""

from dataclasses import dataclass, field

from . import multipart_grammar as grammar
from . import part_header_grammar as part_headers
from .draft import Draft, Place, Production, Rng, some_data

_MIB = 1024 * 1024
_NAMED = b"Content-Disposition: form-data; name=a\r\n"
_SIMPLE = _NAMED + b"\r\n"
_Rows = tuple[Production, ...]


@dataclass(slots=True)
class _Plan:
    """A body before it is joined. A part is a header block, an empty line and data."""

    boundary: bytes = b"b"
    content_type: bytes = b""
    preamble: bytes = b""
    parts: list[bytes] = field(default_factory=list)
    paddings: list[bytes] = field(default_factory=list)
    shared: set[int] = field(default_factory=set)
    closing: bytes = b"\r\n"
    end: bytes | None = None

    def join(self) -> bytes:
        """The bytes of the body. The empty line of a part in `shared` begins the next delimiter (M34)."""
        delimiter = b"--" + self.boundary
        pieces = [self.preamble]
        for position, part in enumerate(self.parts):
            pieces += [delimiter, self.paddings[position], b"\r\n", part]
            if position not in self.shared:
                pieces.append(b"\r\n")
        if self.end is not None:
            pieces[-1:] = [self.end] if self.parts else []
        else:
            pieces += [delimiter, b"--", self.closing]
        return b"".join(pieces)


def place_form(draft: Draft, rng: Rng, production: Production | None = None) -> None:
    """A body of 1 to 5 parts from all constructs that are accepted. `production` is not used."""
    plan = _plan(draft, rng)
    _finish(draft, plan)


def _finish(draft: Draft, plan: _Plan) -> None:
    draft.content_type = plan.content_type
    draft.body = plan.join()
    draft.multipart = True


def _plan(draft: Draft, rng: Rng, least: int = 1) -> _Plan:
    plan = _Plan()
    _choose_boundary(draft, rng, plan)
    if rng.random() < 0.15:
        plan.preamble = _use(draft, rng, grammar.PREAMBLES, plan, rare=True)
    kinds = [_add_part(draft, rng, plan) for _ in range(rng.randint(least, 5))]
    if {"field", "file"} <= set(kinds):
        draft.covers("M88")
    if rng.random() < 0.3:
        plan.closing = _use(draft, rng, grammar.CLOSINGS, plan, rare=True)
    return plan


def _use(draft: Draft, rng: Rng, rows: _Rows, plan: _Plan, *, rare: bool = False) -> bytes:
    """The text of a production of the table. With `rare` long samples are mostly left out, to save time."""
    production = rng.choice(rows)
    text = draft.use(production, rng, plan.boundary)
    while rare and len(text) > 4096 and rng.random() < 0.95:
        text = production.text(rng, plan.boundary)
    return text


def _choose_boundary(draft: Draft, rng: Rng, plan: _Plan) -> None:
    if rng.random() < 0.3:
        plan.boundary = b"----boundary%d" % rng.randrange(10**6)
        spelling = rng.choice(grammar.BOUNDARY_PARAMETERS)
    elif rng.random() < 0.6:
        plan.boundary = draft.use(rng.choice(grammar.BOUNDARIES), rng)
        spelling = rng.choice(grammar.BOUNDARY_PARAMETERS)
    else:
        plan.boundary = draft.use(rng.choice(grammar.QUOTED_BOUNDARIES), rng)
        spelling = grammar.BOUNDARY_PARAMETERS[1]
    plan.content_type = draft.use(spelling, rng, plan.boundary)


def _add_part(draft: Draft, rng: Rng, plan: _Plan) -> str:
    """Add one part, and return its kind."""
    kind = rng.choice(("field", "field", "file", "file", "typed", "opaque", "untyped", "shared"))
    rows = part_headers.FILE_DISPOSITIONS if kind == "file" else part_headers.FIELD_DISPOSITIONS
    lines = [b"Content-Disposition: " + _use(draft, rng, rows, plan)]
    types, data = _type_and_data(draft, rng, plan, kind)
    lines += types
    if rng.random() < 0.2:
        lines.append(_use(draft, rng, part_headers.PART_FIELDS, plan))
    rng.shuffle(lines)
    padding = b""
    if rng.random() < 0.1:
        padding = _use(draft, rng, grammar.PADDINGS, plan)
    if kind == "shared":
        draft.covers("M34")
        plan.shared.add(len(plan.parts))
    plan.parts.append(b"\r\n".join((*lines, b"", data)))
    plan.paddings.append(padding)
    return kind


def _type_and_data(draft: Draft, rng: Rng, plan: _Plan, kind: str) -> tuple[list[bytes], bytes]:
    """The line of Content-Type, if any, and data for it; no data for a shared CRLF."""
    if kind == "shared":
        return [], b""
    if kind == "field":
        return [], _use(draft, rng, grammar.TEXT_DATA, plan)
    if kind == "untyped":
        return [], _use(draft, rng, grammar.NOT_UTF8, plan)
    if kind == "typed":
        if rng.random() < 0.2:
            draft.covers("M76")
            return [b"Content-Type: text/plain; charset=ISO-8859-1"], some_data(rng, plan.boundary)
        return [_typed(draft, rng, plan, part_headers.TEXT_TYPES)], _use(draft, rng, grammar.TEXT_DATA, plan)
    if kind == "opaque":
        content_type = _typed(draft, rng, plan, part_headers.OPAQUE_TYPES)
        rows = grammar.NESTED_DATA if b"multipart" in content_type else grammar.FILE_DATA
        return [content_type], _use(draft, rng, rows, plan)
    if rng.random() < 0.3:
        draft.covers("M82")
        return [], _use(draft, rng, grammar.FILE_DATA, plan)
    return [_typed(draft, rng, plan, part_headers.FILE_TYPES)], _use(draft, rng, grammar.FILE_DATA, plan)


def _typed(draft: Draft, rng: Rng, plan: _Plan, rows: _Rows) -> bytes:
    return b"Content-Type: " + _use(draft, rng, rows, plan)


def _place_boundary(draft: Draft, rng: Rng, production: Production) -> None:
    plan = _plan(draft, rng)
    plan.content_type = draft.use(production, rng, b"b")
    _finish(draft, plan)


def _place_preamble(draft: Draft, rng: Rng, production: Production) -> None:
    plan = _plan(draft, rng)
    plan.preamble = draft.use(production, rng, plan.boundary)
    _finish(draft, plan)


def _place_closing(draft: Draft, rng: Rng, production: Production) -> None:
    plan = _plan(draft, rng)
    plan.closing = draft.use(production, rng, plan.boundary)
    _finish(draft, plan)


def _place_end(draft: Draft, rng: Rng, production: Production) -> None:
    plan = _plan(draft, rng)
    plan.end = draft.use(production, rng, plan.boundary)
    # After data that end in CR a bare LF would make a CRLF.
    plan.parts[-1] = _SIMPLE + b"v"
    plan.shared.discard(len(plan.parts) - 1)
    _finish(draft, plan)


def _place_part(draft: Draft, rng: Rng, production: Production) -> None:
    """A whole part with its delimiter, in the place of another part."""
    plan = _plan(draft, rng, least=2)
    text = draft.use(production, rng, plan.boundary)
    _replace_part(rng, plan, text.removeprefix(b"--" + plan.boundary + b"\r\n"))
    _finish(draft, plan)


def _replace_part(rng: Rng, plan: _Plan, part: bytes) -> None:
    position = rng.randrange(len(plan.parts))
    plan.parts[position] = part
    plan.shared.discard(position)


def _in_part(before: bytes, after: bytes) -> Place:
    """Places a production between `before` and `after`, which make a part, in the place of another part."""

    def place(draft: Draft, rng: Rng, production: Production) -> None:
        plan = _plan(draft, rng)
        text = draft.use(production, rng, plan.boundary)
        _replace_part(rng, plan, before + text + after)
        _finish(draft, plan)

    return place


def place_whole(draft: Draft, rng: Rng, production: Production) -> None:
    """A whole body; some are at a limit."""
    text = draft.use(production, rng)
    draft.content_type, draft.multipart = b"multipart/form-data; boundary=b", True
    if text.endswith(b"parts"):
        draft.body = (b"--b\r\n" + _SIMPLE + b"v\r\n") * int(text.split()[0]) + b"--b--\r\n"
    elif text == b"1 MiB":
        draft.body = b"--b\r\n" + _SIMPLE + b"v" * _MIB + b"\r\n--b--\r\n"
    elif text == b"over 1 MiB":
        draft.body = (b"--b\r\n" + _SIMPLE + b"v" * (_MIB // 2 + 1) + b"\r\n") * 2 + b"--b--\r\n"
    elif text == b"over 1 MiB, not UTF-8":
        draft.body = b"--b\r\n" + _SIMPLE + b"\xff" + b"v" * _MIB + b"\r\n--b--\r\n"
    else:
        draft.body = text


WHOLE: tuple[tuple[Place, _Rows], ...] = ((place_whole, grammar.WHOLE_BODIES),)
"""Whole bodies that are accepted."""

MULTIPART_FAULTS: tuple[tuple[Place, _Rows], ...] = (
    (_place_boundary, grammar.BOUNDARY_FAULTS),
    (_place_preamble, grammar.PREAMBLE_FAULTS),
    (_place_closing, grammar.CLOSING_FAULTS),
    (_place_end, grammar.END_FAULTS),
    (_place_part, grammar.PART_FAULTS),
    (_in_part(b"Content-Disposition: ", b"\r\n\r\nv"), part_headers.DISPOSITION_FAULTS),
    (_in_part(_NAMED, b"\r\n\r\nv"), part_headers.PART_FIELD_FAULTS),
    (_in_part(b"", b"\r\n" + _NAMED + b"\r\nv"), part_headers.FIRST_PART_FIELD_FAULTS),
    (_in_part(_NAMED, b""), grammar.DATA_FAULTS),
    (_in_part(_NAMED, b""), grammar.TYPED_DATA),
    (_in_part(b"Content-Disposition: ", b"\r\n\r\nv"), part_headers.ANY_DISPOSITIONS),
    (_in_part(_NAMED, b"\r\n\r\nv"), part_headers.ANY_PART_FIELDS),
    (place_whole, grammar.WHOLE_FAULTS),
)
"""Each row: the function that places the productions, and productions of faults or of arbitrary octets."""
