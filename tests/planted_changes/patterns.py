"""Changes of a regular expression: of a quantifier, a class, an anchor, an alternative, a literal.

A pattern may be a piece of a larger one: `TCHAR`, the inside of a class, or `"[%s]+"`, which gets one. The
placeholders of such a piece are never changed.
"""

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise

_TOKEN = re.compile(
    r"""
      (?P<placeholder> %[sd] )
    | (?P<class>       \[\^?\]?(?:\\.|[^\]\\])*\] )
    | (?P<quantifier>  (?:[*+?]|\{\d*,?\d*\})[?+]? )
    | (?P<look>        \(\?<?[=!] )
    | (?P<open>        \((?:\?(?::|P<\w+>))? )
    | (?P<close>       \) )
    | (?P<bar>         \| )
    | (?P<anchor>      [$^]|\\[AZbB] )
    | (?P<category>    \\[dDsSwW] )
    | (?P<fixed>       [\[\]{}] )
    | (?P<literal>     \\x[0-9A-Fa-f]{2}|\\U[0-9A-Fa-f]{8}|\\.|. )
    """,
    re.VERBOSE | re.DOTALL,
)
_CHARACTER = r"(?:\\x[0-9A-Fa-f]{2}|\\U[0-9A-Fa-f]{8}|\\.|[^\\])"
_MEMBER = re.compile(rf"(?P<placeholder>%[sd])|{_CHARACTER}-{_CHARACTER}|{_CHARACTER}", re.DOTALL)
_INSIDE_OF_A_CLASS = re.compile(r"[^\[\]]*\w-\w[^\[\]]*")
_BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}")


def changed_patterns(pattern: str) -> list[str]:
    """Every change of a pattern or of a piece of one, without repetitions. A whole pattern compiles."""
    if _INSIDE_OF_A_CLASS.fullmatch(pattern):
        return [changed for changed in _without_a_member(pattern) if _compiles(f"[{changed}]")]
    changes = dict.fromkeys(_changes(pattern))
    changes.pop(pattern, None)
    whole = _compiles(pattern)
    return [changed for changed in changes if changed and _compiles(changed) == whole]


def _changes(pattern: str) -> Iterator[str]:
    for token in _TOKEN.finditer(pattern):
        before, after = pattern[: token.start()], pattern[token.end() :]
        for instead in _instead(token.lastgroup or "", token[0]):
            yield before + instead + after
    yield from _without_an_alternative(pattern)


def _instead(kind: str, text: str) -> list[str]:
    """What may stand in the place of a token."""
    match kind:
        case "class":
            negated = text.startswith("[^")
            begin, inside = ("[^", text[2:-1]) if negated else ("[", text[1:-1])
            other = "[" if negated else "[^"
            return [f"{other}{inside}]", *(f"{begin}{fewer}]" for fewer in _without_a_member(inside))]
        case "quantifier":
            return _other_quantifiers(text)
        case "look":
            return [text[:-1] + {"=": "!", "!": "="}[text[-1]]]
        case "category":
            return [text.swapcase()]
        case "anchor" | "literal":
            return [""]
    return []


def _without_a_member(inside: str) -> Iterator[str]:
    members = list(_MEMBER.finditer(inside))
    for member in members if len(members) > 1 else []:
        if not member["placeholder"]:
            yield inside[: member.start()] + inside[member.end() :]


def _other_quantifiers(text: str) -> list[str]:
    bounds = _BOUNDS.match(text)
    if bounds is None:
        return ["", {"*": "+", "+": "*", "?": "*"}[text[0]] + text[1:], *([text[0]] if text[1:] else [])]
    low, comma, high = bounds.groups()
    if not comma:
        return ["", f"{{{int(low) + 1}}}", f"{{{int(low) - 1}}}", f"{{1,{low}}}"]
    others = ["", f"{{{int(low or 0) + 1},{high}}}", f"{{{low},}}"]
    if low and int(low):
        others.append(f"{{{int(low) - 1},{high}}}")
    if high:
        others += [f"{{{low},{int(high) + 1}}}", f"{{{low},{int(high) - 1}}}"]
    return others


def _without_an_alternative(pattern: str) -> Iterator[str]:
    """The pattern without one of the alternatives of a group, or of the whole pattern."""
    groups: list[list[int]] = [[-1]]  # of each open group: where its alternatives begin, less one
    for token in _TOKEN.finditer(pattern):
        if token.lastgroup in ("open", "look"):
            groups.append([token.end() - 1])
        elif token.lastgroup == "bar":
            groups[-1].append(token.start())
        elif token.lastgroup == "close" and len(groups) > 1:
            yield from _without_one(pattern, [*groups.pop(), token.start()])
    yield from _without_one(pattern, [*groups[0], len(pattern)])


def _without_one(pattern: str, edges: list[int]) -> Iterator[str]:
    """`edges` are the begin, the bars and the end of a list of alternatives."""
    if len(edges) < 3:
        return
    yield pattern[: edges[0] + 1] + pattern[edges[1] + 1 :]
    for bar, end in pairwise(edges[1:]):
        yield pattern[:bar] + pattern[end:]


def _compiles(pattern: str) -> bool:
    """Whether the pattern compiles, with a character in the place of each placeholder."""
    filled = pattern.replace("%s", "a").replace("%d", "9")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(filled)
        except (re.error, OverflowError):
            return False
    return True
