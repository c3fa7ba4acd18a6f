"""The route table (step 6 of the order of judgement): which route takes a path, and with which methods."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..storage.base import Store
from .access import AccessRules
from .limits import Limits
from .problems import Problem
from .request import ParsedRequest, RequestHead
from .responses import Response

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods that are implemented at all; any other token is 501 (R39)."""

CLOSED_PREFIXES = ("/upload/", "/files/", "/problems/", "/requests/", "/ui/", "/v1/")
"""Below these, what is no route is 404, never an echo (contract section 2)."""


@dataclass(frozen=True)
class Context:
    """What a route may use beside the request."""

    limits: Limits
    access: AccessRules
    store: Store


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table.

    `path` is matched in full against the decoded path. `body` says what becomes of the request body:
    `described` (parsed), `stored` (parsed, files go to the store), `raw` (stored as one file whatever its
    type). `private` demands one of our host names, `open` asks for no token.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    handler: Callable[[ParsedRequest, Context], Response]
    body: Literal["described", "stored", "raw"] = "described"
    private: bool = False
    open: bool = False

    def allowed(self) -> tuple[str, ...]:
        """The methods, sorted; GET implies HEAD."""
        implied = {"HEAD"} if "GET" in self.methods else set()
        return tuple(sorted(implied.union(self.methods)))


class RouteTable:
    """The routes in order of precedence; the last one takes every path that no other does: the echo."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = tuple((re.compile(route.path), route) for route in routes)

    def find(self, head: RequestHead) -> Route:
        """The route of a request. Raises Problem `method_not_implemented`, `not_found` or
        `method_not_allowed`, in this order."""
        if head.method not in METHODS:
            raise Problem("method_not_implemented", f"{head.method} is not one of {', '.join(METHODS)}")
        route = self._match(head.path)
        allowed = route.allowed()
        if head.method not in allowed:
            raise Problem(
                "method_not_allowed",
                f"{head.path} takes {', '.join(allowed)}",
                headers=(("Allow", ", ".join(allowed)),),
            )
        return route

    def _match(self, path: str) -> Route:
        *named, (_, echo) = self._routes
        for pattern, route in named:
            if pattern.fullmatch(path):
                return route
        if path.startswith(CLOSED_PREFIXES):
            raise Problem("not_found", f"{path} is no route of this server")
        return echo
