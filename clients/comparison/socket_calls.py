"""Makes the calls of the blog post with our own socket client, for the comparison."""

from contextlib import ExitStack

from ..http1.errors import BadResponse, ClientError, UploadFailed
from ..http1.exchange import EXCHANGE_SECONDS, Exchange
from ..http1.socket_transport import dry_run, send
from ..http1.upload_call import Call
from ..http1.verify_upload import NotVerified
from ..http1.wire import Wire
from .cases import Case
from .post_calls import BOUNDARY, PostCall, cases_of, post_calls


def load_socket_calls(pattern: str = "*") -> list[Case]:
    """The calls as cases of the client `socket`, whose name matches the glob `pattern`. Raises CaseError."""
    return cases_of("socket", _wire_bytes, pattern)


def send_socket_call(name: str, host: str, port: int, *, seconds: float = EXCHANGE_SECONDS) -> Exchange:
    """Make a call and read the response, whose hashes and sizes the client checks; raises nothing."""
    with ExitStack() as stack:
        call = _call(post_calls()[name], f"http://{host}:{port}", stack)
        try:
            return Exchange((send(call, Wire(seconds)),))
        except NotVerified as error:
            return Exchange((error.response,), bad_response=f"socket client: {error}")
        except (BadResponse, UploadFailed) as error:
            return Exchange(bad_response=f"socket client: {error}")
        except ClientError as error:
            return Exchange(no_response=f"socket client: {error}")


def _wire_bytes(call: PostCall) -> bytes:
    written = bytearray()
    with ExitStack() as stack:
        dry_run(_call(call, "http://localhost:8000", stack), written.extend)
    return bytes(written)


def _call(call: PostCall, base_url: str, stack: ExitStack) -> Call:
    return Call(call.method, base_url + call.target, boundary=BOUNDARY, **call.all_arguments(stack))
