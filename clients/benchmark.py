"""python clients/benchmark.py: how fast servers take the same uploads, as ratios to stock Flask."""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.benchmark").main()

from .benchmarking.command import main

if __name__ == "__main__":
    main()
