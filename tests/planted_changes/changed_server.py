"""`python -m tests.planted_changes.changed_server MODULE SOURCE BACKEND [ARGUMENT ...]`

Runs the module BACKEND as `python -m BACKEND` does, but imports MODULE from the text of the file SOURCE. The
source tree and its bytecode stay as they are. The memory and the files of the server are limited, because a
change may make an endless loop.
"""

import resource
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

_MIB = 1024 * 1024
_MEMORY, _FILE = 4096 * _MIB, 512 * _MIB


class ChangedLoader(SourceFileLoader):
    """Loads one module from another text than that of its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text. The bytecode of the file is neither read nor written."""
        return compile(self._text, self.path, "exec", dont_inherit=True)


class ChangedModule:
    """A finder for `sys.meta_path` that finds one module, with a changed text."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the module; None for every other module."""
        spec = PathFinder.find_spec(name, path, target) if name == self._name else None
        if spec is not None and spec.origin is not None:
            spec.loader = ChangedLoader(name, spec.origin, self._text)
        return spec


def main(module: str, source: str, backend: str, *arguments: str) -> None:
    """Install the finder, then run the backend as its own command does."""
    if module in sys.modules:
        raise SystemExit(f"{module} is imported already, without the change")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    sys.meta_path.insert(0, ChangedModule(module, Path(source).read_text("utf-8")))
    sys.argv = [backend, *arguments]
    runpy.run_module(backend, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
