"""The route table: which route handles a path, with which methods (step 6 of contract section 4)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from ..storage.base import Store
from .access import AccessRules
from .capture import Capturing, history_at
from .limits import Limits
from .load import Load, client_of
from .metrics import Metrics
from .peers import Address, Peer
from .problems import Problem
from .request import MediaType, ParsedRequest, RequestHead
from .request_log import QUIET, RequestLog
from .responses import DYNAMIC, Response
from .shutdown import Shutdown

if TYPE_CHECKING:
    from .appending import Appending

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods that are implemented; any other token is refused with 501 (R39)."""

CLOSED_PREFIXES = ("/upload/", "/resumable/", "/files/", "/problems/", "/requests/", "/ui/", "/v1/")
"""A path below one of these that matches no route is 404, not an echo (contract section 2)."""


_MOST_PATHS = 256


@dataclass(frozen=True)
class Context:
    """What a route may use besides the request, and the log and the history, which the backends write.

    `peers` are the servers that requests may be sent to. Without them it is `own`: this server, at the
    address where the connection arrived. `load` is what this process does at once, and `client` for whom, see
    `load.client_of`. Without `metrics` they are off. `shutdown` tells whether the server is about to stop.
    """

    limits: Limits
    access: AccessRules
    store: Store
    log: RequestLog = QUIET
    history: Capturing | None = None
    backend: str = "socket"
    peers: tuple[Peer, ...] = ()
    own: Peer | None = None
    load: Load = field(default_factory=lambda: Load.within(Limits()))
    client: str | None = None
    metrics: Metrics | None = None
    shutdown: Shutdown = field(default_factory=Shutdown)

    def arrived_at(self, local: object, peer: object = None) -> "Context":
        """The context of a connection; its socket's `getsockname` and `getpeername` return these."""
        if not isinstance(local, tuple):  # a Unix socket
            return self
        host, port = local[:2]
        access = replace(self.access, local_address=host)
        # uvicorn has no port for a Unix socket.
        own = None if port is None else Peer(self.backend, Address(host, port))
        history = history_at(self.history, local)
        return replace(self, access=access, history=history, own=own, client=client_of(peer))


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table.

    `path` is a regular expression that must match the whole decoded path. `body` says what happens to the
    request body: `described` (parsed), `stored` (parsed, files are stored), `raw` (stored as one file,
    whatever its type) or `spooled` (taken as it is, and forgotten after the response is made). A route with
    `appends` appends it to an upload that comes in pieces, instead of all that. `fields` makes those of all
    its responses that do not have them, problems too, and `offers` makes further ones for the response to
    OPTIONS. A `private` route requires an allowed Host, an `open` route requires no token. The handler of a
    route that `uses_store` may wait: for the disk, or for another server. One that `computes` takes
    milliseconds of processor time, but never waits for the store. A route with `when` takes only requests for
    which that is true. A token for uploads allows the routes that take `uploads`. Pages of the setting
    `cors_origin` may use the `shared` routes, and no others.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    handler: Callable[[ParsedRequest, Context], Response]
    body: Literal["described", "stored", "raw", "spooled"] = "described"
    private: bool = False
    open: bool = False
    uses_store: bool = False
    when: Callable[[RequestHead], bool] | None = None
    uploads: bool = False
    shared: bool = False
    appends: "Callable[[RequestHead, MediaType | None, Context], Appending] | None" = None
    fields: Callable[[Limits], tuple[tuple[str, str], ...]] = lambda _limits: ()
    offers: Callable[[Limits], tuple[tuple[str, str], ...]] = lambda _limits: ()
    computes: bool = False

    @property
    def allow(self) -> str:
        """The value of Allow: the methods in sorted order (RFC 9110 10.2.1). GET implies HEAD."""
        return ", ".join(sorted({*self.methods, "OPTIONS", *(("HEAD",) if "GET" in self.methods else ())}))

    def options(self) -> "Route":
        """What OPTIONS does on this route: 204 with Allow (RFC 9110 9.3.7, W7). Nothing is stored."""
        return replace(
            self,
            body="described",
            handler=self._answer_options,
            uses_store=False,
            computes=False,
            appends=None,
        )

    def _answer_options(self, _request: ParsedRequest, context: Context) -> Response:
        return Response(204, (("Allow", self.allow), *DYNAMIC, *self.offers(context.limits)))


class RouteTable:
    """The routes in order of precedence. The last one, the echo, takes every path that matches no other."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = tuple((re.compile(route.path), route) for route in routes)
        self._echo = routes[-1]
        # Most requests are for few paths.
        self._routes_of = lru_cache(_MOST_PATHS)(self._matching)

    def find(self, head: RequestHead) -> Route:
        """The route of a request.

        Raises Problem `method_not_implemented`, `not_found` or `method_not_allowed`, in this order.
        """
        if head.method not in METHODS:
            what, rule = f"{head.method} is not one of {', '.join(METHODS)}", _rule_of_method(head.method)
            raise Problem("method_not_implemented", what, rule=rule, field="method")
        route = self._match(head)
        if head.method in route.methods or (head.method == "HEAD" and "GET" in route.methods):
            return route
        if head.method == "OPTIONS":
            return route.options()
        raise Problem(
            "method_not_allowed",
            f"{head.path} allows {route.allow}",
            headers=(("Allow", route.allow),),
            rule="S4",
            field="method",
        )

    def fields_of(self, head: RequestHead, limits: Limits) -> tuple[tuple[str, str], ...]:
        """The fields of every response to such a request."""
        route = self._matching_route(head)
        return () if route is None else route.fields(limits)

    def name_of(self, head: RequestHead) -> str | None:
        """The name of the route that a request is for, whatever its method. None: there is no such route."""
        route = self._matching_route(head)
        return None if route is None else route.name

    def is_shared(self, path: str) -> bool:
        """Whether pages of other origins may use what is at this path, if they are permitted."""
        return any(route.shared and pattern.fullmatch(path) for pattern, route in self._routes)

    def _matching(self, path: str) -> tuple[Route, ...]:
        """The routes whose pattern matches, without the echo."""
        return tuple(route for pattern, route in self._routes[:-1] if pattern.fullmatch(path))

    def _match(self, head: RequestHead) -> Route:
        route = self._matching_route(head)
        if route is None:
            raise Problem(
                "not_found", f"{head.path} is not a route of this server", rule="S3", field="target"
            )
        return route

    def _matching_route(self, head: RequestHead) -> Route | None:
        path = head.path
        for route in self._routes_of(path):
            if route.when is None or route.when(head):
                return route
        return None if path.startswith(CLOSED_PREFIXES) else self._echo


def _rule_of_method(method: str) -> str:
    """Which rule says that a method is not implemented."""
    if method == "CONNECT":
        return "R7"
    return "R38" if method.upper() in METHODS else "R39"
