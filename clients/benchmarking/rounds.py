"""Runs the workloads: all servers of one stand ready, and take turns in an order that each round shuffles."""

import contextlib
import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ..programs import AbsentError
from .measured_servers import REFERENCE, Server
from .samples import MIB, Figure, Sample, WrongAnswerError, figure_of
from .serving import Environments, Running, serving
from .workloads import Bench, NoRoomError, Workload

OnRound = Callable[[Workload, str, int], object]


@dataclass(slots=True)
class Measured:
    """The samples of one workload, by server, in the order of the rounds; without servers that are void."""

    workload: Workload
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def figures(self) -> dict[str, Figure]:
        """The figure of each server."""
        reference = self.samples.get(REFERENCE, [])
        return {
            name: figure_of(samples, reference, self.workload.cpu_per)
            for name, samples in self.samples.items()
        }


@dataclass(slots=True)
class Outcome:
    """Everything that was measured.

    `versions` are those of the peers, by name. `absent` says why a server did not run at all. `left_out` has
    the workload, the server (or nothing, for all of them) and the reason of what was not measured, `void`
    those of answers that were not right, and `failures` those of requests that failed.
    """

    measured: list[Measured] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    void: list[tuple[str, str, str]] = field(default_factory=list)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class Rounds:
    """How the workloads are run: `rounds` after the warm-up, in orders that `seed` makes."""

    bench: Bench
    environments: Environments
    rounds: int
    seed: int
    on_round: OnRound = lambda workload, server, number: None
    outcome: Outcome = field(default_factory=Outcome)
    interrupted: bool = False

    def run(self, workloads: Sequence[Workload], servers: Sequence[Server]) -> Outcome:
        """Measure every workload on every server that can do it. Ctrl-C ends it, and sets `interrupted`."""
        order = random.Random(self.seed)
        servers = [server for server in servers if self._is_there(server)]
        with contextlib.suppress(KeyboardInterrupt):
            self.interrupted = True
            for workload in workloads:
                self._run(workload, servers, order)
            self.interrupted = False
        return self.outcome

    def _run(self, workload: Workload, servers: Sequence[Server], order: random.Random) -> None:
        able = [server for server in servers if workload.family in server.works]
        try:
            workload.prepare(self.bench)
            self.outcome.measured.append(self._measured(workload, able, order))
        except NoRoomError as error:
            self.outcome.left_out.append((workload.name, "", str(error)))
        finally:
            workload.finish()

    def _is_there(self, server: Server) -> bool:
        try:
            self.outcome.versions[server.name] = self.environments.prepare(server)
        except AbsentError as error:
            self.outcome.absent[server.name] = str(error)
            return False
        return True

    def _measured(self, workload: Workload, servers: Sequence[Server], order: random.Random) -> Measured:
        """The samples of all rounds. The servers run until the last round is over."""
        measured = Measured(workload)
        with ExitStack() as stack:
            folder = self.bench.place.stores / workload.name
            ready = [one for server in servers if (one := self._started(stack, server, folder)) is not None]
            for number in range(self.rounds + 1):
                order.shuffle(ready)
                ready = [running for running in ready if self._round(measured, running, number)]
        shutil.rmtree(self.bench.place.stores / workload.name, ignore_errors=True)
        return measured

    def _started(self, stack: ExitStack, server: Server, folder: Path) -> Running | None:
        try:
            return stack.enter_context(serving(server, folder, self.environments))
        except AbsentError as error:
            self.outcome.absent[server.name] = str(error)
            return None

    def _round(self, measured: Measured, running: Running, number: int) -> bool:
        """One round; number 0 is the warm-up. Returns whether the server takes part in the next one."""
        workload, name = measured.workload, running.server.name
        self.on_round(workload, name, number)
        try:
            if number == 0:
                return self._warmed_up(workload, running)
            sample = workload.measure(self.bench, running)
        except WrongAnswerError as error:
            self.outcome.void.append((workload.name, name, str(error)))
            measured.samples.pop(name, None)
            return False
        measured.samples.setdefault(name, []).append(sample)
        if sample.failure:
            self.outcome.failures[workload.name, name] = sample.failure
        return True

    def _warmed_up(self, workload: Workload, running: Running) -> bool:
        """Whether the server can do the workload, and fast enough for a large file to end."""
        sample = workload.warm_up(self.bench, running)
        why = ""
        if not sample.work:
            why = f"every request of the warm-up failed: {sample.failure}"
        elif workload.unit == "MiB" and self.bench.size / MIB / sample.rate > self.bench.patience:
            why = f"at {sample.rate:.2g} MiB/s, as in the warm-up, one round would take too long"
        if why:
            self.outcome.left_out.append((workload.name, running.server.name, why))
        return not why
