"""`python -m tests.guided_fuzzing.searching TARGET BUG ARGUMENT ...`: the process that searches.

The arguments are those of libFuzzer. BUG is the name of a planted bug, or empty. The process ends with the
status 0 after the time, and with another one when it has written an input on which the readings disagree.
"""

import sys
from hashlib import sha1
from pathlib import Path

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

    begin = "-artifact_prefix="
    prefix = next(argument.removeprefix(begin) for argument in arguments if argument.startswith(begin))

    def check(data: bytes) -> None:
        try:
            target.outcomes(data)
        except Exception:
            # The engine writes the same file, but has died before it came to that.
            digest = sha1(data, usedforsecurity=False).hexdigest()
            Path(f"{prefix}crash-{digest}").write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
