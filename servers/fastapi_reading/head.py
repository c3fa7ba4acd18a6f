"""A request head from its split parts: steps 1 to 5 of the order of judgement (contract section 4)."""

from collections.abc import Iterable
from typing import NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import Pair, RequestHead
from .authorization import describe_authorization
from .characters import TCHARS, consists_of
from .cookies import each_cookie
from .fields import FieldLine, judge_fields
from .framing import judge_framing
from .host import is_host
from .target import Location, Target, classify_target, decode_target


class RequestLine(NamedTuple):
    """The three words of a request line, not judged yet."""

    method: bytes
    target: bytes
    version: bytes


def read_head(line: RequestLine, fields: Iterable[FieldLine], limits: Limits) -> RequestHead:
    """Raises Problem, the first one in the order of judgement."""
    target = _judge_line(line, limits)
    is_http_1_0 = line.version == b"HTTP/1.0"
    values = judge_fields(fields, limits, at_most=limits.max_fields, heeds_expect=not is_http_1_0)
    content_length, chunked = judge_framing(values, is_http_1_0=is_http_1_0)
    host = _judge_host(values.get("host", []), target, is_http_1_0=is_http_1_0)
    # An authority is no path; CONNECT is refused with the route (R7).
    where = Location("", "", ()) if line.method == b"CONNECT" else decode_target(target.origin)
    if target.authority:
        values["host"] = [target.authority]  # RFC 9112 3.2.2 (R2)
    headers = {name: b",".join(values[name]) for name in sorted(values)}
    if "cookie" in headers:  # joined as RFC 9113 8.2.3 does it, without empty lines (H21)
        headers["cookie"] = b"; ".join(line for line in values["cookie"] if line)
    return RequestHead(
        method=line.method.decode("ascii"),
        target=target.origin.decode("ascii"),
        path=where.path,
        host=host,
        args=where.args,
        headers=tuple(Pair(name, value.decode("iso-8859-1")) for name, value in headers.items()),
        cookies=tuple(each_cookie(headers.get("cookie", b""))),
        auth=describe_authorization(headers.get("authorization", b"")),
        content_length=content_length,
        chunked=chunked,
        last_segment=where.last_segment,
        https_target=target.scheme == b"https",
    )


def _judge_line(line: RequestLine, limits: Limits) -> Target:
    size = len(b" ".join(line))
    if size > limits.max_request_line:
        raise Problem("uri_too_long", f"{size} bytes; a request line may have {limits.max_request_line}")
    if line.method == b"" or not consists_of(line.method, TCHARS):
        raise Problem("request_line", f"{line.method[:40]!r} is no method (R40)")
    target = classify_target(line.method, line.target)
    name, _, number = line.version.partition(b"/")
    major, dot, minor = number[:1], number[1:2], number[2:]
    digits = b"0123456789"
    if name != b"HTTP" or dot != b"." or len(minor) != 1 or not consists_of(major + minor, digits):
        raise Problem("request_line", f"{line.version[:40]!r} is not HTTP/DIGIT.DIGIT (R11, R12)")
    if major != b"1":
        raise Problem("unsupported_version", f"{line.version!r} is not spoken here (R10)")
    return target


def _judge_host(hosts: list[bytes], target: Target, *, is_http_1_0: bool) -> str | None:
    """What the result shows as host; the field is judged even where the target replaces it."""
    if len(hosts) > 1 or not (hosts or is_http_1_0):
        raise Problem("bad_host", f"{len(hosts)} Host fields (H24, H26)")
    if any(not is_host(host) for host in hosts):
        raise Problem("bad_host", f"{hosts[0][:80]!r} is no host (H27)")
    shown = target.authority or b"".join(hosts)
    return shown.decode("ascii") if shown else None
