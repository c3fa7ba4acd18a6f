"""No module of the clients reads a file of the project when it is imported."""

import subprocess
import sys

from clients.launch import PROJECT_ROOT

# The scripts of real clients run when they are imported. Adapters and peers need frameworks.
_IMPORT_ALL = """
import importlib, pathlib, sys

root = pathlib.Path.cwd()
opened = []

def audit(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = pathlib.Path(arguments[0])
        if path.is_relative_to(root) and path.suffix not in (".py", ".pyc") and ".venv" not in path.parts:
            opened.append(str(path))

sys.path.insert(0, str(root))
sys.addaudithook(audit)
count = 0
for path in sorted(root.joinpath("clients").rglob("*.py")):
    if path.parent.name in ("scripts", "adapters", "peers"):
        continue
    try:
        importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
        count += 1
    except ModuleNotFoundError as error:
        if error.name != "streamlit":  # an extra, which the command of the README does without
            raise
print(count, *opened)
"""


def test_importing_the_clients_opens_no_file_of_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", _IMPORT_ALL],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, *opened = done.stdout.split()
    assert int(count) > 50
    assert opened == []
