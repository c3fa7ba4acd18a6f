"""The READMEs as data: console blocks, generated tables, links. `python -m tests.readmes` writes them anew.

A `console` block has commands, lines that begin with `$ `, and their output:

- a line `...` in an output stands for any lines;
- a command that ends with ` &` is a server that runs until the end of the block; its output comes last;
- `http://127.0.0.1:8000` in other commands, without `--dry-run`, is a server that the caller has started.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO

from clients import launch
from clients.streamlit_tabs.kept_and_lost import FACTS
from servers.contract.limits import Limits
from servers.contract.problems import PROBLEMS
from servers.metrics.definitions import METRICS

ROOT = Path(__file__).resolve().parent.parent
READMES = (
    ROOT / "README.md",
    *sorted(
        path
        for name in ("servers", "clients", "sample_files", "tests")
        for path in (ROOT / name).rglob("README.md")
    ),
)
_URL = "127.0.0.1:8000"
_SECONDS = 60
_LATE_SECONDS = 10
_PROGRAMS: Mapping[str, str] = {"python": sys.executable, "wireproof": f"{sys.executable} -m clients"}
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_TABLE = re.compile(r"<!-- table: (\w+) -->\n(.*?)<!-- end of table -->", re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE_LINK = re.compile(r"\]\(([^)\s]+\.py)\) `(\w+)`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# What differs between runs and installations: requests accepts the codings that its environment can decode.
_VOLATILE = (
    (re.compile(r"^Accept-Encoding: .*$", re.MULTILINE), "Accept-Encoding:"),
    (re.compile(r"wireproof/[\w.]+"), "wireproof/VERSION"),
    (re.compile(r"\bport \d+"), "port N"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"^.*── [\d.]+ s  read \d+: \d+ bytes\n", re.MULTILINE), ""),  # one packet, or two
    (re.compile(r"\b\d+\.\d{3} s\b"), "N s"),
)
_MEASURED = ((re.compile(r"[+]?\d+(\.\d+)?"), "N"), (re.compile(r"[ *]+"), " "))


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a block, and the output that the README shows."""

    command: str
    shown: str


@dataclass(frozen=True, slots=True)
class Block:
    """The commands of one console block."""

    readme: Path
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return f"{self.readme.relative_to(ROOT)}: {self.steps[-1].command}"

    @property
    def needs_server(self) -> bool:
        return not self._starts_one and any(_talks(step.command) for step in self.steps)

    @property
    def _starts_one(self) -> bool:
        return any(step.command.endswith(" &") for step in self.steps)

    def outputs(self, port: int) -> list[str]:
        """What the commands print, with 8000 in place of `port` or of the port of the block's own server."""
        with tempfile.TemporaryFile() as output, ExitStack() as servers:
            printed = []
            for step in self.steps:
                if step.command.endswith(" &"):
                    port = servers.enter_context(
                        _background(step.command.removesuffix(" &"), output.fileno())
                    )
                    printed.append("")
                else:
                    printed.append(_shown_as(_run(step.command, port), port))
            if self._starts_one:
                printed[-1] += self._printed_by_server(output, port)
        return printed

    def _printed_by_server(self, output: IO[bytes], port: int) -> str:
        """All that the server prints: it may be late, so this waits until it is what the README shows."""
        deadline = time.monotonic() + _LATE_SECONDS
        while True:
            output.seek(0)
            text = _shown_as(output.read().decode("utf-8", "replace"), port)
            if matches(self.steps[-1], text) or time.monotonic() > deadline:
                return text
            time.sleep(0.05)


def blocks(readme: Path) -> list[Block]:
    found = _BLOCK.findall(readme.read_text("utf-8"))
    return [Block(readme, tuple(Step(*step) for step in _STEP.findall(text))) for text in found]


def matches(step: Step, output: str) -> bool:
    """Whether the README shows this output, apart from what may differ and what it leaves out."""
    shown = _comparable(step.command, step.shown)
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in shown.splitlines()
    )
    return re.fullmatch(pattern, _comparable(step.command, output)) is not None


def _comparable(command: str, text: str) -> str:
    measured = "stream.py" in command and "--help" not in command
    for pattern, replacement in (*_VOLATILE, *(_MEASURED if measured else ())):
        text = pattern.sub(replacement, text)
    return text


def _shown_as(text: str, port: int) -> str:
    text = text.replace("\r\n", "\n").replace(f"127.0.0.1:{port}", _URL)
    return text if not text or text.endswith("\n") else text + "\n"


def _talks(command: str) -> bool:
    return _URL in command and "--dry-run" not in command


def _program(command: str) -> str:
    first, _, rest = command.partition(" ")
    return f"{_PROGRAMS.get(first, first)} {rest}"


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WIREPROOF_")}
    return {**kept, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def _run(command: str, port: int) -> str:
    program = _program(command.replace(_URL, f"127.0.0.1:{port}") if _talks(command) else command)
    done = subprocess.run(
        program,
        shell=True,
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )
    return done.stdout.decode("utf-8")


@contextmanager
def _background(command: str, output: int) -> Iterator[int]:
    """Run a server until the context ends; give its port. It writes to the descriptor `output`."""
    port = _free_port()
    arguments = [*shlex.split(_program(command)), "--port", str(port)]
    with subprocess.Popen(arguments, cwd=ROOT, env=_environment(), stdout=output) as server:
        try:
            deadline = time.monotonic() + _SECONDS
            while not _size(output):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise OSError(f"{command} did not start on port {port}")
                time.sleep(0.02)
            yield port
        finally:
            server.terminate()


def _size(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def _free_port() -> int:
    """A port of four digits, as 8000 has: the READMEs show lengths and line ends that depend on it."""
    for port in random.sample(range(8100, 10000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of four digits is free")


@contextmanager
def served() -> Iterator[int]:
    """A socket server for the commands that need one; gives its port."""
    port = _free_port()
    with launch.start("socket", flags=("--port", str(port), "--store", "memory:")):
        yield port


def tables(readme: Path) -> list[tuple[str, str]]:
    """The generated tables of a README: name and text."""
    return _TABLE.findall(readme.read_text("utf-8"))


def limits_table() -> str:
    source = (ROOT / "servers" / "contract" / "limits.py").read_text("utf-8")
    rows = ["| limit | default | flag | variable | what is counted -> problem |", "|---|---|---|---|---|"]
    for limit in fields(Limits):
        name, default = limit.name, getattr(Limits(), limit.name)
        said = re.search(rf"^    {name}: int = [^#\n]*# (.*)$", source, re.MULTILINE)
        flag, variable = f"--{name.replace('_', '-')}", f"WIREPROOF_{name.upper()}"
        rows.append(f"| `{name}` | {default:,} | `{flag}` | `{variable}` | {said[1] if said else ''} |")
    return "\n".join(rows) + "\n"


def problems_table() -> str:
    rows = ["| code | status | title | rules |", "|---|---|---|---|"]
    for kind in PROBLEMS.values():
        rows.append(f"| `{kind.code}` | {kind.status} | {kind.title} | {' '.join(kind.rules)} |")
    return "\n".join(rows) + "\n"


def streamlit_table() -> str:
    rows = ["| of the upload | is | because |", "|---|---|---|"]
    rows += [f"| {fact.property} | {fact.what} | {fact.sentence} |" for fact in FACTS]
    return "\n".join(rows) + "\n"


def metrics_table() -> str:
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(rows) + "\n"


TABLES: Mapping[str, Callable[[], str]] = {
    "limits": limits_table,
    "metrics": metrics_table,
    "problems": problems_table,
    "streamlit": streamlit_table,
}


def links(readme: Path) -> list[str]:
    """The relative links of a README, with their anchors."""
    targets = _LINK.findall(_FENCED.sub("", readme.read_text("utf-8")))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def code_links(readme: Path) -> list[tuple[str, str]]:
    """Each link to a Python file that a name follows: the file and the name that it must define."""
    return _CODE_LINK.findall(readme.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def refresh(readme: Path, port: int) -> list[str]:
    """Write outputs and tables anew where they are not true any more; return what must be done by hand."""
    by_hand = []
    text = readme.read_text("utf-8")
    for block in blocks(readme):
        for step, output in zip(block.steps, block.outputs(port), strict=True):
            if matches(step, output):
                continue
            if "..." in step.shown.splitlines():
                by_hand.append(f"{block.name}\n{output}")
            else:
                text = text.replace(f"$ {step.command}\n{step.shown}", f"$ {step.command}\n{output}")
    for name, table in tables(readme):
        begin = f"<!-- table: {name} -->\n"
        text = text.replace(begin + table, begin + TABLES[name]())
    readme.write_text(text, "utf-8")
    return by_hand


def main() -> None:
    with served() as port:
        by_hand = [message for readme in READMES for message in refresh(readme, port)]
    for message in by_hand:
        print(f"not rewritten, because its output is shown in part:\n{message}")


if __name__ == "__main__":
    main()
