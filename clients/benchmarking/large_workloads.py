"""W1 and W5: one large file in a multipart body. W8: the same file again."""

from dataclasses import dataclass, replace

from .answers import Expected, check_answer, check_stored
from .forked import in_a_fork
from .large_load import Content, LargeFile, Upload, send_large
from .place import remove_files_of, touch_memory
from .samples import MIB, Sample
from .serving import Running
from .small_load import status_and_body
from .small_requests import FILE_FIELD
from .workloads import GIB, Bench

_WARM_UP_BYTES = 8 * MIB
# The sent file, a temporary file of the server, and the stored one, for two uploads at the same time.
_COPIES = 4
CPU_PER_MIB = GIB / MIB
CPU_UNIT = "s/GiB"


@dataclass(slots=True)
class LargeUpload:
    """One file of `share` of the bench's size, with a content that no other upload has."""

    name: str
    title: str
    content: Content = "random"
    share: float = 1.0
    family: str = "w1"
    unit: str = "MiB"
    cpu_per: float = CPU_PER_MIB
    cpu_unit: str = CPU_UNIT
    file: LargeFile | None = None

    def prepare(self, bench: Bench) -> None:
        """Write the file that is sent."""
        size = int(bench.size * self.share)
        bench.check_room(size, _COPIES)
        self.file = LargeFile(bench.place.contents, self.content, size)

    def warm_up(self, bench: Bench, running: Running) -> Sample:
        """A smaller upload."""
        size = min(_WARM_UP_BYTES, bench.size)
        small = LargeFile(bench.place.contents, self.content, size, "warm-up")
        return upload_once(running, small, bench.next_number())

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One upload."""
        return upload_once(running, self.made(), bench.next_number())

    def made(self) -> LargeFile:
        """The file that `prepare` has written."""
        assert self.file is not None, "prepare comes first"
        return self.file

    def finish(self) -> None:
        """Remove it."""
        if self.file is not None:
            self.file.remove()


@dataclass(slots=True)
class RepeatedUpload(LargeUpload):
    """The second upload of a content, beside the rate of its first one."""

    family: str = "w8"

    def measure(self, bench: Bench, running: Running) -> Sample:
        """Two uploads, of which the second one counts."""
        number = bench.next_number()
        first = upload_once(running, self.made(), number, keep=True)
        again = upload_once(running, self.made(), number)
        extra = {"to_first": again.rate / first.rate} if first.rate else {}
        errors, failure = first.errors + again.errors, first.failure or again.failure
        return replace(again, errors=errors, failure=failure, extra=extra)


def upload_once(running: Running, file: LargeFile, number: int, *, keep: bool = False) -> Sample:
    """One upload of a large file, checked; with `keep` it stays in the store. Raises WrongAnswerError."""
    server = running.server
    upload = Upload(running.port, server.path, server.form, file, number)
    touch_memory(2 * file.size)  # what is stored, and a temporary file
    before = running.session.usage()
    running.session.reset_peak()
    seconds, answer = in_a_fork(lambda: send_large(upload))
    used = running.session.usage().cpu_seconds - before.cpu_seconds
    peak = running.session.peak_bytes() - before.resident_bytes
    status, body = status_and_body(answer) if answer else (0, b"")
    if not 200 <= status < 300:
        failure = answer[:300].decode("latin-1") or "no answer"
        return Sample(0.0, seconds, used, peak, (), errors=1, failure=failure)
    if server.checked:
        if server.answers:
            check_answer(body, Expected(files=((FILE_FIELD, file.sha256(number)),)))
        check_stored(running.store, file.size, {file.sha256(number)})
    if not keep:
        remove_files_of(running.store, file.size)
    return Sample(file.size / MIB, seconds, used, peak, (seconds,))
