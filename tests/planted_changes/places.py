"""Finds every place of a module that can be changed.

These are left out, because no response shows them: docstrings, annotations, decorators, `detail` texts and
other messages with everything that only they use, the rule and the place of a Problem, what only `--wire` or
a log shows, and time-outs.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from servers.contract.problems import PROBLEMS

from .alternatives import (
    Kind,
    other_bounds,
    other_conditions,
    other_constants,
    other_flags,
    other_operators,
    other_patterns,
)

_LONGEST_SHOWN = 160
_ONLY_TIME = re.compile(r"(.*_)?(timeout|rate|linger)(_.*)?", re.IGNORECASE)
_NAMES_OF_PYTHON = {"__all__", "__slots__"}
_ANNOTATIONS = {"annotation", "returns", "decorator_list", "bases", "format_spec"}
_FOR_PEOPLE = {"__repr__", "__str__"}
# Of a Problem, and of what has a place of its own.
_RULE_OR_PLACE = re.compile(r"rule|offset|fault|_offset_of_\w+")
_FINDS_RULE_OR_PLACE = re.compile(
    r"_?(?:rule_of|which|offset|end_of|bytes_of|place_of)\w*|\w+_(?:rule|offset)"
)
_RULE = re.compile(r"[RHBCDUJMKASW][1-9][0-9]?")
_SHOWN_ONLY = {"_report", "_trace", "cast", "TypeVar", "NewType"}
_BASES_WITH_NAMES_ONLY = {"Enum", "Protocol"}
_MATCHERS = {"compile", "fullmatch", "match", "search", "sub", "split", "findall", "finditer"}
# A code is replaced by those that stand so far from it in the table of problems.
_DISTANCES = (-1, 1, 5)


@dataclass(frozen=True, slots=True)
class Place:
    """An expression or statement, in a slot of `parent`, and the nodes that may stand there instead.

    `shown` is the expression or statement around it that is shown; None for itself.
    """

    function: str
    line: int
    kind: Kind
    shown: ast.AST | None
    parent: ast.AST
    name: str
    index: int | None
    alternatives: Sequence[ast.AST | None]

    def texts(self, number: int) -> tuple[str, str]:
        """What is shown of an alternative: the text before and after the change."""
        if self.shown is not None:
            return ast.unparse(self.shown), self.text_with(number, self.shown)
        alternative = self.alternatives[number]
        return ast.unparse(self._here), "" if alternative is None else ast.unparse(alternative)

    def text_with(self, number: int, tree: ast.AST) -> str:
        """The text of `tree`, which holds the slot, with an alternative in it."""
        original = self._here
        self._put(self.alternatives[number])
        try:
            return ast.unparse(tree)
        finally:
            self._put(original)

    @property
    def _here(self) -> ast.AST:
        value = getattr(self.parent, self.name)
        node: ast.AST = value if self.index is None else value[self.index]
        return node

    def _put(self, node: ast.AST | None) -> None:
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


@cache
def parsed(path: Path) -> tuple[ast.Module, list[Place]]:
    """The syntax tree of a module, and its places."""
    tree = ast.parse(path.read_text("utf-8"))
    names = _pattern_names(path.parent)
    # The first walk finds out which names are read outside of messages. The others leave out what only
    # messages read, so that fewer names are read.
    finder = _Finder(tree, names)
    while (next_finder := _Finder(tree, names, finder.used)).used != finder.used:
        finder = next_finder
    return tree, next_finder.places


@cache
def _pattern_names(folder: Path) -> frozenset[str]:
    """The names of texts that are pieces of regular expressions, in all files of a folder."""
    calls = (
        node
        for path in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _is_matcher(node)
    )
    return frozenset(
        piece.id for call in calls for piece in _pieces(call.args[0]) if isinstance(piece, ast.Name)
    )


def _pieces(pattern: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a pattern, without those of calls such as `re.escape`."""
    if not isinstance(pattern, ast.Call):
        yield pattern
        for child in ast.iter_child_nodes(pattern):
            yield from _pieces(child)


def _is_matcher(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "re"
        and call.func.attr in _MATCHERS
    )


def _called(node: ast.AST | None) -> str:
    """The name of a function that is called, without that of its object."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _assigned_names(node: ast.AST) -> list[str]:
    """The names to which a statement assigns, or none if it assigns to anything else."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    if isinstance(target, ast.Tuple) and all(isinstance(one, ast.Name) for one in target.elts):
        return [one.id for one in target.elts if isinstance(one, ast.Name)]
    return [name] if (name := _assigned(node)) else []


def _assigned_attribute(node: ast.AST) -> str:
    """The attribute to which a statement assigns, if it is a single one."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        target = node.target
    return target.attr if isinstance(target, ast.Attribute) else ""


def _makers(tree: ast.Module) -> set[str]:
    """The functions of a module that make a Problem."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {
        one.name for one in functions if isinstance(one.returns, ast.Name) and one.returns.id == "Problem"
    }


def _assigned(node: ast.AST) -> str:
    """The name to which a statement assigns, if it is a single one."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        target = node.target
    return target.id if isinstance(target, ast.Name) else ""


class _Finder:
    """Walks through a module and collects its places.

    `used` holds for each scope ("" is the module) the names that it reads outside of messages. `read` is that
    of an earlier walk. With it, what only messages use is left out: functions, private names of the module,
    and local variables.
    """

    def __init__(
        self, tree: ast.Module, pattern_names: frozenset[str], read: dict[str, set[str]] | None = None
    ) -> None:
        self.places: list[Place] = []
        self.used: dict[str, set[str]] = {"": set()}
        self._pattern_names = pattern_names
        self._makers = {"Problem", *_makers(tree)}
        self._read = read
        self._scopes: list[ast.FunctionDef | ast.ClassDef] = []
        self._above: list[ast.AST] = []
        self._in_pattern = False
        self._visit_children(tree)

    def _visit_children(self, node: ast.AST, only: Iterable[str] | None = None) -> None:
        self._above.append(node)
        for name, value in ast.iter_fields(node):
            if name in _ANNOTATIONS or (only is not None and name not in only):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    self._visit(child, name, index)
        self._above.pop()

    def _visit(self, node: ast.AST, name: str, index: int | None) -> None:
        if self._is_left_out(node):
            return
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._scopes.append(node)
            self.used.setdefault(self._scope(), set())
            self._visit_children(node)
            self._scopes.pop()
            return
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            self._note(node.id if isinstance(node, ast.Name) else node.attr)
        for kind, alternatives in self._alternatives(node, name):
            self._add(node, kind, (self._above[-1], name, index), list(alternatives))
        in_pattern, self._in_pattern = self._in_pattern, self._in_pattern and not isinstance(node, ast.Call)
        if isinstance(node, ast.Call):
            self._visit_call(node)
        elif isinstance(node, ast.Raise) and _called(node.exc) not in ("", "Problem"):
            self._note(_called(node.exc))  # its arguments are a message
        else:
            self._in_pattern |= _assigned(node) in self._pattern_names
            self._visit_children(node)
        self._in_pattern = in_pattern

    def _visit_call(self, call: ast.Call) -> None:
        """Visits the code and the header fields of a Problem. The flags of a pattern are one place."""
        name = _called(call)
        self._visit_children(call, ("func",) if name in self._makers else ("func", "keywords"))
        self._above.append(call)
        arguments = call.args[:1] if _is_matcher(call) else call.args
        if name in self._makers:
            arguments = [one for one in call.args if isinstance(one, ast.Constant) and one.value in PROBLEMS]
            for keyword in call.keywords:
                if keyword.arg == "headers":
                    self._visit_children(keyword)
        if name in ("at", "behind"):
            arguments = []  # the place of a Problem
        for index, argument in enumerate(arguments):
            self._in_pattern = _is_matcher(call)
            self._visit(argument, "args", index)
        if _is_matcher(call) and len(call.args) > 1:
            flags = call.args[1]
            self._add(flags, Kind.PATTERN, (call, "args", 1), list(other_flags(flags)))
        self._above.pop()

    def _alternatives(self, node: ast.AST, name: str) -> Iterator[tuple[Kind, Iterable[ast.AST]]]:
        """What may stand in the place of a node, which is in the field `name` of its parent."""
        if isinstance(node, ast.expr) and name in ("test", "ifs"):
            yield Kind.CONDITION, other_conditions(node)
        if isinstance(node, ast.Slice):
            yield Kind.SLICE, other_bounds(node)
        elif isinstance(node, ast.Constant):
            if not self._is_bound(node):
                yield self._of_constant(node.value)
        elif isinstance(node, ast.expr | ast.AugAssign) and not self._in_pattern and not self._is_bound(node):
            yield Kind.OPERATOR, other_operators(node)

    def _is_bound(self, node: ast.AST) -> bool:
        """Whether the node is a number as a bound of a slice, or in the negative number that is one."""
        negative = isinstance(self._above[-1], ast.UnaryOp)
        literal = isinstance(node, ast.Constant | ast.UnaryOp)
        return literal and isinstance(self._above[-2 if negative else -1], ast.Slice)

    def _of_constant(self, value: object) -> tuple[Kind, Iterable[ast.AST]]:
        if self._in_pattern and isinstance(value, str | bytes):
            return Kind.PATTERN, other_patterns(value)
        if isinstance(value, str) and _RULE.fullmatch(value):
            return Kind.CONSTANT, ()
        if isinstance(value, str) and value in PROBLEMS and _called(self._above[-1]) != "_kind":
            codes = list(PROBLEMS)
            at = codes.index(value)
            return Kind.CODE, [ast.Constant(codes[(at + step) % len(codes)]) for step in _DISTANCES]
        return Kind.CONSTANT, other_constants(value)

    def _is_left_out(self, node: ast.AST) -> bool:
        """Whether nothing in a node is compared."""
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert):
            return True
        if isinstance(node, ast.If):
            only_traces = all(
                _called(getattr(one, "value", None)) in _SHOWN_ONLY
                or _RULE_OR_PLACE.fullmatch(_assigned_attribute(one))
                for one in node.body
            )
            return (only_traces and not node.orelse) or ast.unparse(node.test).endswith("TYPE_CHECKING")
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Subscript):
            return isinstance(node.value, ast.Name) and node.value.id == "Literal"
        if isinstance(node, ast.Call):
            return _called(node) in _SHOWN_ONLY
        if isinstance(node, ast.ClassDef):
            return any(getattr(base, "id", "") in _BASES_WITH_NAMES_ONLY for base in node.bases)
        if isinstance(node, ast.FunctionDef):
            finds_place = _FINDS_RULE_OR_PLACE.fullmatch(node.name) is not None
            return node.name in _FOR_PEOPLE or finds_place or self._is_unread(node.name, "")
        if _RULE_OR_PLACE.fullmatch(_assigned_attribute(node) or _assigned(node)):
            return True
        names = _assigned_names(node)
        if len(names) > 1:
            return all(self._is_unread(name, self._scope()) for name in names)
        name = _assigned(node)
        in_class = bool(self._scopes) and isinstance(self._scopes[-1], ast.ClassDef)
        return (
            name in _NAMES_OF_PYTHON
            or _ONLY_TIME.fullmatch(name) is not None
            or (not in_class and self._is_unread(name, self._scope()))
        )

    def _is_unread(self, name: str, scope: str) -> bool:
        """Whether only messages read a name of a function, or a private name of the module."""
        if self._read is None or not name or name.startswith("__"):
            return False
        public = not scope and not name.startswith("_")
        return not public and name not in self._read[scope] | self._pattern_names

    def _scope(self) -> str:
        return ".".join(scope.name for scope in self._scopes)

    def _note(self, name: str) -> None:
        for depth in range(len(self._scopes) + 1):
            self.used[".".join(scope.name for scope in self._scopes[:depth])].add(name)

    def _add(
        self,
        node: ast.AST,
        kind: Kind,
        slot: tuple[ast.AST, str, int | None],
        alternatives: Sequence[ast.AST | None],
    ) -> None:
        if alternatives:
            line = next(one.lineno for one in (node, *reversed(self._above)) if hasattr(one, "lineno"))
            self.places.append(Place(self._scope(), line, kind, self._shown(node), *slot, alternatives))

    def _shown(self, node: ast.AST) -> ast.AST | None:
        """The largest expression or simple statement around a node that is short enough to be shown."""
        shown = None
        must_grow = any(isinstance(self._above[-1], kind) for kind in (ast.JoinedStr, ast.FormattedValue))
        for above in reversed(self._above):
            if hasattr(above, "body") and isinstance(above, ast.stmt | ast.Module):
                break
            if isinstance(above, ast.expr | ast.stmt) and not isinstance(above, ast.FormattedValue):
                if len(ast.unparse(above)) > _LONGEST_SHOWN and not must_grow:
                    break
                shown, must_grow = above, False
        return shown
