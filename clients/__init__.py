"""wireproof's clients: they show what goes on the wire, and import nothing of `servers`."""

import select

# One sentence instead of a traceback, for every command.
if not hasattr(select, "poll"):
    raise SystemExit("wireproof needs Linux or macOS; on Windows it runs in WSL.")
