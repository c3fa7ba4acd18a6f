"""Lets clients upload through the recorder, and returns their requests and responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .exchanges import Exchange, uploads
from .pages import PAGES
from .recorder import Recorder
from .table import Client
from .uploads import Files
from .workshop import UploadFailedError, Workshop

UPLOAD_PATH = "/upload/"


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: its exchanges in order, and what the client printed if it failed."""

    exchanges: tuple[Exchange, ...]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """The files, the recorder and the installed clients. All uploads of a session have the same Host."""

    workshop: Workshop
    recorder: Recorder
    files: Files

    def upload(self, client: Client, kind: str, server: tuple[str, int]) -> Upload:
        """Make an upload of `kind` to `server`, a host and a port. Call `workshop.prepare` before."""
        self.recorder.upstream = server
        failure = ""
        try:
            self.workshop.upload(client, self.recorder.url + UPLOAD_PATH, kind, self.files)
        except UploadFailedError as error:
            failure = str(error)
        return Upload(tuple(uploads(self.recorder.take())), failure)


@contextmanager
def session(workshop: Workshop, folder: Path) -> Iterator[Session]:
    """A session that writes the files into `folder`, which must exist."""
    files = Files(folder)
    files.write()
    with Recorder(PAGES) as recorder:
        yield Session(workshop, recorder, files)
