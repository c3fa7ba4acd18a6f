"""`python -m tests.planted_changes --seed 1`: which changes of the servers' code does compare alone find?"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

import click

from .changes import COUNTS, Change, draw, files_of, load_equivalents, unchanged
from .judging import BACKENDS, Verdict, judge
from .replay import replayed_differences
from .survivors import backend_of, fuzzed_differences

_SENT_FIRST = 60
_DEFAULT = ", ".join(f"{folder} {count}" for folder, count in COUNTS.items())


@click.command()
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=int,
    default=(1,),
    help="The same seed draws the same changes. Repeatable.  [default: 1]",
)
@click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Choice(tuple(COUNTS)),
    default=tuple(COUNTS),
    help="Change only this folder. Repeatable.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help=f"Changes in each folder, for each seed.  [default: {_DEFAULT}]",
)
@click.option("--at-least", default=97.0, show_default=True, help="The share that must be found, in percent.")
@click.option("--at-once", default=os.cpu_count() or 1, show_default=True, help="Changes that run at once.")
@click.option(
    "--judge-survivors",
    "requests",
    type=click.IntRange(min=1),
    metavar="REQUESTS",
    help="Send so many generated requests to each survivor and to an unchanged server.",
)
@click.option("--list", "only_list", is_flag=True, help="Print the changes without running them.")
def main(
    seeds: tuple[int, ...],
    folders: tuple[str, ...],
    count: int | None,
    at_least: float,
    at_once: int,
    requests: int | None,
    only_list: bool,
) -> None:
    """Plant changes into the code of the servers, one at a time, and count those that compare alone finds.

    A survivor is a change that no recorded case finds. Exit status: 0 enough changes are found; 1 fewer; 2
    wrong usage, or the unchanged code fails a case.
    """
    drawn = _drawn(folders, seeds, count)
    if only_list:
        for change in drawn:
            click.echo(change)
        return
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        _refuse_if_unchanged_fails(pool, folders, seeds[0])
        verdicts: dict[Change, Verdict] = {}
        for change, verdict in _judged(pool, drawn, seeds[0], at_once):
            verdicts[change] = verdict
            by = verdict.found_by or "SURVIVED"
            click.echo(
                f"{len(verdicts)}/{len(drawn)} {change.file}:{change.line} {by} ({verdict.seconds:.1f} s)"
            )
    listed = [change for change in drawn if any(entry.is_of(change) for entry in load_equivalents())]
    survivors = [c for c in drawn if not verdicts[c].found_by and c not in listed]
    enough = show_shares(drawn, verdicts, survivors, at_least)
    for change in listed:
        if verdicts[change].found_by:
            click.echo(f"\nlisted as equivalent, but found: {change}")
    shown = _fuzzed(survivors, requests, seeds[0], at_once)
    for change in survivors:
        click.echo("\n    ".join(filter(None, (f"\n{change}", shown.get(change)))))
    sys.exit(0 if enough else 1)


def _drawn(folders: Sequence[str], seeds: Sequence[int], count: int | None) -> list[Change]:
    """The changes of all seeds. One that two seeds draw is tried once."""
    return list(
        dict.fromkeys(
            change
            for folder in folders
            for seed in seeds
            for change in draw(folder, count or COUNTS[folder], seed)
        )
    )


def _refuse_if_unchanged_fails(pool: ProcessPoolExecutor, folders: Sequence[str], seed: int) -> None:
    """Exit with 2 if the unchanged code fails a case: then the verdicts on changes would mean nothing."""
    names = sorted({name for folder in folders for name in BACKENDS[folder]})
    module, source = unchanged(files_of(folders[0])[-1])
    for verdict in pool.map(judge, *zip(*((module, source, (n,), (), seed) for n in names), strict=True)):
        if verdict.found_by:
            raise click.UsageError(f"the unchanged code fails: {verdict.found_by}")


def _judged(
    pool: ProcessPoolExecutor, changes: Sequence[Change], seed: int, at_once: int
) -> Iterator[tuple[Change, Verdict]]:
    """The changes with their verdicts. Cases that found a change in a file are the first for the next one."""
    finders: dict[str, Counter[str]] = {change.file: Counter() for change in changes}
    running: dict[Future[Verdict], Change] = {}
    waiting = list(reversed(changes))
    while waiting or running:
        while waiting and len(running) < at_once:
            change = waiting.pop()
            first = [case for case, _ in finders[change.file].most_common(_SENT_FIRST)]
            backends = BACKENDS[change.folder]
            running[pool.submit(judge, change.module, change.source(), backends, first, seed)] = change
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            change, verdict = running.pop(done), done.result()
            finders[change.file].update(filter(None, [verdict.case]))
            yield change, verdict


def show_shares(
    drawn: Sequence[Change], verdicts: dict[Change, Verdict], survivors: Sequence[Change], at_least: float
) -> bool:
    """Print a row for each folder. Returns whether enough changes are found in each."""
    click.echo("\nfolder         changes  found  equivalent  survived  share   seconds per change")
    shares = []
    for folder in dict.fromkeys(change.folder for change in drawn):
        of_folder = [change for change in drawn if change.folder == folder]
        found = sum(bool(verdicts[change].found_by) for change in of_folder)
        survived = sum(change.folder == folder for change in survivors)
        shares.append(100 * found / max(found + survived, 1))
        seconds = sum(verdicts[change].seconds for change in of_folder) / len(of_folder)
        equivalent = len(of_folder) - found - survived
        numbers = f"{len(of_folder):>7}  {found:>5}  {equivalent:>10}  {survived:>8}"
        click.echo(f"{folder:<13}  {numbers}  {shares[-1]:>5.1f}  {seconds:>19.1f}")
    return all(share >= at_least for share in shares)


def _fuzzed(survivors: Sequence[Change], requests: int | None, seed: int, at_once: int) -> dict[Change, str]:
    """For each survivor the difference that generated requests show; nothing if none are to be sent."""
    if requests is None:
        return {}
    by_backend: dict[str, list[Change]] = {}
    for change in survivors:
        by_backend.setdefault(backend_of(change), []).append(change)
    found: dict[Change, str] = {}
    for backend, changes in by_backend.items():
        if backend == "flask":  # Werkzeug's server makes the environ, so it is needed
            found |= fuzzed_differences(changes, backend, requests, seed)
        else:
            found |= replayed_differences(
                changes, backend, requests, seed, at_once=at_once, on_change=_show_judged
            )
    return {change: f"{found.get(change, 'no difference')} in {requests} requests" for change in survivors}


def _show_judged(change: Change, found: str) -> None:
    click.echo(f"judged {change.file}:{change.line}: {found or 'no difference'}")


if __name__ == "__main__":
    main()
