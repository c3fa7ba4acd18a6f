"""The guests as endpoints, so that they are judged as any other server is."""

from ..assessment.endpoint import Endpoint, endpoint_at
from ..assessment.probing import Level, Probe
from ..assessment.told import Told
from ..http1.socket_transport import trusted_context

_TOLD = {
    "multipart": Told(frozenset({"form", "files"}), frozenset({"filename", "size", "sha256"})),
    "urlencoded": Told(frozenset({"form"})),
    "json": Told(frozenset({"json"})),
}
"""What every guest tells. The types of parts are left out: many parsers fill in a default."""

HERE = endpoint_at("http://127.0.0.1/", (), trusted_context(None))
"""An endpoint like that of every guest."""


def guest_endpoint(name: str, url: str) -> Endpoint:
    """The endpoint of a guest."""
    return endpoint_at(url, (), trusted_context(None), name)


def guest_probe(kinds: tuple[str, ...]) -> Probe:
    """What plain requests would find at a guest that reads these kinds of body."""
    return Probe(
        Level.PARSED, dict.fromkeys(kinds, 200) | {"none": 405}, {kind: _TOLD[kind] for kind in kinds}, kinds
    )
