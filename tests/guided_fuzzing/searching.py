"""`python -m tests.guided_fuzzing.searching TARGET BUG ARGUMENT ...`: the process that searches.

The arguments are those of libFuzzer. BUG is the name of a planted bug, or empty. The process ends with the
status 0 after the time, and with another one when it has written an input on which the readings disagree.
"""

import sys

import atheris

with atheris.instrument_imports(include=["servers", "werkzeug"]):
    from tests.guided_fuzzing.coverage import forget_lines
    from tests.guided_fuzzing.planting import plant
    from tests.guided_fuzzing.targets import TARGETS


def main(name: str, bug: str, *arguments: str) -> None:
    """Search. atheris ends the process, so this returns never."""
    plant(bug)
    forget_lines()
    target = TARGETS[name]

    def check(data: bytes) -> None:
        target.outcomes(data)

    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
