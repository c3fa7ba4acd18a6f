"""`python -m tests.guided_fuzzing`: searches for inputs on which the two readings disagree."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import click

from . import corpus
from .engine import EngineError, Search, search
from .findings import Finding, smallest
from .planting import plant
from .seeds import seeds_of
from .targets import TARGETS, Target

_ABSENT = "guided fuzzing did NOT run: pip install 'wireproof[guided]', on Linux and x86-64"


@click.command()
@click.option(
    "--target",
    "names",
    multiple=True,
    type=click.Choice(tuple(TARGETS)),
    default=tuple(TARGETS),
    help="Search this one only. Repeatable.",
)
@click.option(
    "--seconds", type=click.IntRange(min=1), default=60, show_default=True, help="Time for each target."
)
@click.option("--seed", type=click.IntRange(min=1), help="Of the engine.  [default: from the clock]")
@click.option("--at-once", type=click.IntRange(min=1), default=1, show_default=True, help="Targets at once.")
@click.option("--keep", is_flag=True, help="Add the inputs that reach something new to the corpus.")
@click.option("--from-seeds", is_flag=True, help="Begin with the recorded requests, too.")
@click.option(
    "--findings",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("differences"),
    show_default=True,
    help="Folder for what is found.",
)
@click.option("--planted-bug", default="", help="Put this bug of tests/planted_bugs into the parsers.")
def main(
    names: Sequence[str],
    seconds: int,
    seed: int | None,
    at_once: int,
    keep: bool,
    from_seeds: bool,
    findings: Path,
    planted_bug: str,
) -> None:
    """Search for inputs on which the two readings disagree, guided by the code that the inputs reach.

    The search of a target ends with its first finding. Exit status: 0 nothing was found; 1 the readings
    disagree; 2 wrong usage, or the engine is not installed or failed.
    """
    if find_spec("atheris") is None:
        raise click.UsageError(_ABSENT)
    seed = seed or int(time.time())
    targets = [TARGETS[name] for name in dict.fromkeys(names)]
    given = {target.name: _inputs(target, from_seeds) for target in targets}
    plant(planted_bug)

    def searched(target: Target) -> Search:
        return search(target, given[target.name], seconds=seconds, seed=seed, planted_bug=planted_bug)

    is_clean = True
    try:
        with ThreadPoolExecutor(at_once) as pool:
            for target, result in zip(targets, pool.map(searched, targets), strict=True):
                click.echo(_line(target, result, seed))
                if keep:
                    _keep(target, given[target.name], result)
                if result.failed is not None:
                    is_clean = False
                    _report(_finding(target, result.failed, result.failed_as), findings, seed)
    except EngineError as error:
        click.echo(f"the engine failed: {error}", err=True)
        raise SystemExit(2) from None
    raise SystemExit(0 if is_clean else 1)


def _inputs(target: Target, from_seeds: bool) -> list[bytes]:
    seeds = [data for data in seeds_of(target) if len(data) <= corpus.LONGEST] if from_seeds else []
    return [*corpus.load(target), *seeds]


def _line(target: Target, result: Search, seed: int) -> str:
    return (
        f"{target.name}: {result.executions:,} executions ({result.per_second:,} a second), "
        f"{result.edges:,} edges, {result.features:,} features, {len(result.found)} inputs found, seed {seed}"
    )


def _keep(target: Target, given: Sequence[bytes], result: Search) -> None:
    before = len(corpus.load(target))
    kept = corpus.minimised(target, given, result.found)
    corpus.save(target, kept)
    click.echo(f"{target.name}: the corpus has {len(kept)} inputs, and had {before}")


def _finding(target: Target, data: bytes, failed_as: str) -> Finding:
    """The smallest input. One that takes too long or too much memory stays as it is."""
    if failed_as == "crash":
        return smallest(target, data)
    return Finding(target.name, data, {"engine": failed_as})


def _report(finding: Finding, folder: Path, seed: int) -> None:
    click.echo(str(finding))
    click.echo(f"saved as {finding.save(folder, str(seed))}")


if __name__ == "__main__":
    main()
