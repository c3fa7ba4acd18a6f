"""What may stand in the place of an expression: other operators, constants, conditions, bounds, patterns."""

import ast
import codecs
import copy
from collections.abc import Iterator
from enum import StrEnum

from .patterns import changed_patterns


class Kind(StrEnum):
    """What a change changes."""

    OPERATOR = "operator"
    CONSTANT = "constant"
    CONDITION = "condition"
    SLICE = "slice"
    CODE = "code"
    PATTERN = "pattern"


_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
# `|` joins types, and `%` formats texts: another operator would only be a TypeError.
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
}


def other_operators(node: ast.expr | ast.AugAssign) -> Iterator[ast.AST]:
    """The node with another operator, or without one."""
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                changed = copy.copy(node)
                changed.ops = [*node.ops[:position], other(), *node.ops[position + 1 :]]
                yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for left_out in node.values:
            kept = [value for value in node.values if value is not left_out]
            yield kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC and not _joins(node):
        changed_operation = copy.copy(node)
        changed_operation.op = _ARITHMETIC[type(node.op)]()
        yield changed_operation


def _joins(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether the node joins texts, which no other operator does."""
    operands = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(
        isinstance(operand, ast.JoinedStr)
        or (isinstance(operand, ast.Constant) and isinstance(operand.value, str | bytes))
        for operand in operands
    )


def other_conditions(test: ast.expr) -> Iterator[ast.expr]:
    """The condition negated, always true, always false. What `other_operators` gives is left out."""
    if isinstance(test, ast.Constant):
        return
    negated_by_operator = isinstance(test, ast.Compare) and len(test.ops) == 1
    if not negated_by_operator and not isinstance(test, ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), test)
    yield ast.Constant(True)
    yield ast.Constant(False)


def other_bounds(node: ast.Slice) -> Iterator[ast.Slice]:
    """The slice with a bound that is dropped, one more or one less."""
    for name in ("lower", "upper"):
        bound = getattr(node, name)
        if bound is not None:
            for other in (None, *_one_more_or_less(bound)):
                changed = copy.copy(node)
                setattr(changed, name, other)
                yield changed


def _one_more_or_less(bound: ast.expr) -> Iterator[ast.expr]:
    try:
        value = ast.literal_eval(bound)
    except ValueError:
        yield from (ast.BinOp(bound, operator, ast.Constant(1)) for operator in (ast.Add(), ast.Sub()))
    else:
        yield from (ast.parse(str(value + step), mode="eval").body for step in (1, -1))


def other_constants(value: object) -> Iterator[ast.expr]:
    """One more, one less; the other truth value; a text with a character removed or changed."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        yield ast.parse(str(value - 1), mode="eval").body
    elif isinstance(value, bytes):
        yield from (ast.Constant(text.encode("latin-1")) for text in _other_texts(value.decode("latin-1")))
    elif isinstance(value, str):
        yield from (ast.Constant(text) for text in _other_texts(value) if not _same_codec(text, value))


def _other_texts(text: str) -> list[str]:
    """The first, a middle and the last character are removed, or replaced by the next one of ASCII."""
    if not text:
        return ["x"]
    positions = {0, len(text) // 2, len(text) - 1}
    others = [text[:at] + text[at + 1 :] for at in sorted(positions)]
    others += [text[:at] + chr((ord(text[at]) + 1) % 128) + text[at + 1 :] for at in sorted(positions)]
    return [other for other in dict.fromkeys(others) if other != text]


def _same_codec(one: str, other: str) -> bool:
    """Whether both are names of the same text encoding."""
    try:
        return codecs.lookup(one) == codecs.lookup(other)
    except (LookupError, ValueError):
        return False


def other_patterns(value: str | bytes) -> list[ast.expr]:
    """The changes of a regular expression or of a piece of one."""
    if isinstance(value, str):
        return [ast.Constant(pattern) for pattern in changed_patterns(value)]
    changed = changed_patterns(value.decode("latin-1"))
    return [ast.Constant(pattern.encode("latin-1")) for pattern in changed]


def other_flags(flags: ast.expr) -> Iterator[ast.expr]:
    """The flags of a regular expression without one of them."""
    if isinstance(flags, ast.BinOp):
        yield from (flags.left, flags.right)
    else:
        yield ast.Constant(0)
