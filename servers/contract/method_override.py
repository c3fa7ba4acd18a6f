"""X-HTTP-Method-Override, for clients that cannot send PATCH, DELETE or HEAD (tus 1.0, "Core Protocol")."""

from dataclasses import replace

from .request import RequestHead

_FIELD = "x-http-method-override"
_PATH = "/resumable/"


def effective(head: RequestHead) -> RequestHead:
    """The head with the method that a POST to an upload asks for; any other head is the same.

    tus says that the field counts whatever the method is. Here it counts in a POST only: what stands between
    repeats and caches a GET or a HEAD, which must not change anything.
    """
    asked = head.field(_FIELD)
    if asked is None or head.method != "POST" or not head.path.startswith(_PATH):
        return head
    return replace(head, method=asked)
