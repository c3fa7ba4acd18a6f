"""The route table: which route handles a path, with which methods (step 6 of contract section 4)."""

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
"""The methods that are implemented; any other token is refused with 501 (R39)."""

CLOSED_PREFIXES = ("/upload/", "/files/", "/problems/", "/requests/", "/ui/", "/v1/")
"""A path below one of these that matches no route is 404, not an echo (contract section 2)."""


@dataclass(frozen=True)
class Context:
    """What a route may use besides the request."""

    limits: Limits
    access: AccessRules
    store: Store


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table.

    `path` is a regular expression that must match the whole decoded path. `body` says what happens to the
    request body: `described` (parsed), `stored` (parsed, files are stored) or `raw` (stored as one file,
    whatever its type). A `private` route requires an allowed Host, an `open` route requires no token.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    handler: Callable[[ParsedRequest, Context], Response]
    body: Literal["described", "stored", "raw"] = "described"
    private: bool = False
    open: bool = False

    def allowed(self) -> tuple[str, ...]:
        """The methods in sorted order. GET implies HEAD."""
        implied = {"HEAD"} if "GET" in self.methods else set()
        return tuple(sorted(implied.union(self.methods)))


class RouteTable:
    """The routes in order of precedence. The last one, the echo, takes every path that matches no other."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = tuple((re.compile(route.path), route) for route in routes)

    def find(self, head: RequestHead) -> Route:
        """The route of a request.

        Raises Problem `method_not_implemented`, `not_found` or `method_not_allowed`, in this order.
        """
        if head.method not in METHODS:
            raise Problem("method_not_implemented", f"{head.method} is not one of {', '.join(METHODS)}")
        route = self._match(head.path)
        allowed = route.allowed()
        if head.method not in allowed:
            raise Problem(
                "method_not_allowed",
                f"{head.path} allows {', '.join(allowed)}",
                headers=(("Allow", ", ".join(allowed)),),
            )
        return route

    def _match(self, path: str) -> Route:
        *named, (_, echo) = self._routes
        for pattern, route in named:
            if pattern.fullmatch(path):
                return route
        if path.startswith(CLOSED_PREFIXES):
            raise Problem("not_found", f"{path} is not a route of this server")
        return echo
