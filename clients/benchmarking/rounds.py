"""Runs the workloads: all servers of one stand ready, and take turns in an order that each round shuffles."""

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from .samples import Figure, Sample, WrongAnswerError, figure_of
from .servers import REFERENCE, AbsentServerError, Running, Server, serving
from .workloads import Bench, Workload

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
    """Everything that was measured. `absent` says why a server did not run, by its name.

    `void` has the workload, the server and the reason of each answer that was not right.
    """

    measured: list[Measured] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    void: list[tuple[str, str, str]] = field(default_factory=list)


def run_rounds(
    bench: Bench,
    workloads: Sequence[Workload],
    servers: Sequence[Server],
    rounds: int,
    seed: int,
    on_round: OnRound = lambda workload, server, number: None,
) -> Outcome:
    """Measure every workload on every server that can do it."""
    outcome, order = Outcome(), random.Random(seed)
    for workload in workloads:
        workload.prepare(bench)
        try:
            able = [server for server in servers if workload.family in server.works]
            outcome.measured.append(_measured(bench, workload, able, rounds, order, outcome, on_round))
        finally:
            workload.finish(bench)
    return outcome


def _measured(
    bench: Bench,
    workload: Workload,
    servers: Sequence[Server],
    rounds: int,
    order: random.Random,
    outcome: Outcome,
    on_round: OnRound,
) -> Measured:
    measured = Measured(workload)
    with ExitStack() as stack:
        ready: list[Running] = []
        for server in servers:
            try:
                ready.append(stack.enter_context(serving(server, bench.place.stores / workload.name)))
            except AbsentServerError as error:
                outcome.absent[server.name] = str(error)
        for number in range(rounds + 1):  # round 0 is the warm-up
            order.shuffle(ready)
            for running in list(ready):
                name = running.server.name
                on_round(workload, name, number)
                try:
                    if number == 0:
                        workload.warm_up(bench, running)
                    else:
                        measured.samples.setdefault(name, []).append(workload.measure(bench, running))
                except WrongAnswerError as error:
                    outcome.void.append((workload.name, name, str(error)))
                    measured.samples.pop(name, None)
                    ready.remove(running)
    return measured
