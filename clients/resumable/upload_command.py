"""`upload --resume`: uploads files and folders that go on where they broke off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..cli.command import is_silent, say_error
from ..cli.output import printable, refusal
from ..cli.progress import Advance, progress_bar
from ..cli.request_fields import cookies_from, credentials_from, headers_from
from ..cli.watched_wire import prints_the_wire, watched_wire
from ..http1.errors import ClientError, Unreachable, UsageError
from ..http1.wire import Wire
from .choice import PROTOCOLS, Choice, choose
from .file_upload import FileUpload, OnPosition, Uploaded
from .kept_transfers import kept_transfer, remove_old
from .requester import FieldValues, Refused, Requester, Send
from .retries import IDLE_SECONDS, Retries
from .sent_file import SentFile, files_below
from .several import Outcome, Position, upload_all
from .stored import stored_in_words
from .told_digest import WANTED

_DEFAULT_RETRIES = 8
# What makes another request, or shows a response that there is not.
_NOT_WITH_RESUME = (
    *("form", "form_string", "data", "data_raw", "data_binary", "data_urlencode", "get", "json", "param"),
    *("method", "chunked", "expect", "boundary", "output", "remote_name", "include", "fail", "raw"),
    "dry_run",
)
# The protocols set them.
_TAKEN_FIELDS = frozenset({"content-type", "content-length", "content-disposition", "tus-resumable"})


def resume_uploads(given: Mapping[str, Any], send: Send) -> int:
    """Upload the files that the flags name. Returns the exit status; raises ClientError."""
    files = _files(given)
    requester = Requester(
        given["url"],
        send,
        partial(_wire, given),
        _fields(given),
        credentials_from(given),
        cookies_from(given),
        given["cacert"],
    )
    say = partial(_say, given)
    remove_old()
    try:
        choice = _choice(given, requester, say)
    except Refused as refused:
        if not is_silent(given):
            click.echo(refusal(refused.response), err=True)
        return refused.exit_status
    parallel = 1 if prints_the_wire(given) else given["parallel"]
    with _bar(given, files) as advance:
        upload = partial(_upload, given, choice)
        outcome = upload_all(files, upload, parallel, Position(advance))
    return _report(given, files, outcome)


def _files(given: Mapping[str, Any]) -> list[SentFile]:
    """The files, each once. Raises UsageError for flags that do not go with --resume."""
    for name in _NOT_WITH_RESUME:
        if given[name]:
            flag = {"method": "request"}.get(name, name).replace("_", "-")
            raise UsageError(f"--resume sends files as they are: it does not go together with --{flag}")
    if given["upload_file"] == "-" or "-" in given["paths"]:
        raise UsageError("--resume needs files that can be read again, and standard input cannot")
    paths = [*given["paths"], *filter(None, [given["upload_file"]])]
    if not paths:
        raise UsageError("--resume needs the files to upload: wireproof upload --resume URL PATH...")
    files = {file.identity.path: file for path in paths for file in files_below(Path(path))}
    return list(files.values())


def _fields(given: Mapping[str, Any]) -> FieldValues:
    fields = headers_from(given)
    for name in fields:
        if name.lower() in _TAKEN_FIELDS or name.lower().startswith("upload-"):
            raise UsageError(f"-H: the field {name} cannot be given, because the protocol sets it")
    return {**WANTED, **fields}


def _wire(given: Mapping[str, Any]) -> Wire:
    return watched_wire(given, idle_time=None if given["max_time"] else IDLE_SECONDS)[0]


def _choice(given: Mapping[str, Any], requester: Requester, say: Any) -> Choice:
    """The protocol that was named, or that the server names."""
    if given["protocol"]:
        return Choice(PROTOCOLS[given["protocol"]](requester))
    choice = _retries(given, say).until_done(partial(choose, requester))
    say(f"{given['url']} speaks {choice.protocol.title}")
    return choice


def _retries(given: Mapping[str, Any], say: Any) -> Retries:
    return Retries(_DEFAULT_RETRIES if given["retry"] is None else given["retry"], say)


def _upload(given: Mapping[str, Any], choice: Choice, file: SentFile, on_position: OnPosition) -> Uploaded:
    """Upload one file, with what is kept of it by an earlier process."""
    identity = file.identity
    key = (choice.protocol.name, given["url"], identity.path, identity.size, identity.mtime_ns)
    retries = _retries(given, lambda text: _say(given, f"{file.shown}: {text}"))
    with kept_transfer(*key) as kept:
        return FileUpload(file, choice, kept, retries, on_position, given["piece"]).run()


@contextlib.contextmanager
def _bar(given: Mapping[str, Any], files: Sequence[SentFile]) -> Iterator[Advance]:
    """One bar for all files."""
    if given["silent"] or prints_the_wire(given):
        yield lambda amount=1, description=None: None
        return
    what = "sending" if len(files) == 1 else f"sending {len(files)} files"
    with progress_bar(sum(file.size for file in files), what, "bytes") as advance:
        yield advance


def _report(given: Mapping[str, Any], files: Sequence[SentFile], outcome: Outcome) -> int:
    """Print a line for each file, those that failed on standard error. Returns the exit status."""
    status = 0
    for index, file in enumerate(files):
        if index in outcome.uploaded:
            try:
                click.echo(printable(stored_in_words(outcome.uploaded[index])))
                continue
            except ClientError as error:
                outcome.failed[index] = error
        failed = outcome.failed.get(index)
        if failed is not None:
            status = max(status, failed.exit_status)
            _say_failure(given, file, failed)
    not_begun = len(files) - len(outcome.uploaded) - len(outcome.failed.keys() - outcome.uploaded.keys())
    if not_begun and not is_silent(given):
        say_error(f"{not_begun} more files were not begun")
    return status


def _say_failure(given: Mapping[str, Any], file: SentFile, error: ClientError) -> None:
    if is_silent(given) and not isinstance(error, UsageError):
        return
    if isinstance(error, Refused):
        click.echo(f"{printable(file.shown)}: {refusal(error.response)}", err=True)
        if error.response.status == 413:
            click.echo("  A proxy may limit a request: --piece SIZE sends several smaller ones.", err=True)
        return
    later = "; the same command goes on with it" if isinstance(error, Unreachable) else ""
    say_error(f"{file.shown}: {error}{later}")


def _say(given: Mapping[str, Any], text: str) -> None:
    if not is_silent(given):
        click.echo(printable(text), err=True)
