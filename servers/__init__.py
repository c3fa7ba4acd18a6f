"""wireproof's servers: one upload contract, implemented on raw sockets and on Flask."""

from importlib.util import find_spec

# One sentence instead of a traceback, for every command of a server.
if find_spec("fcntl") is None:
    raise SystemExit("wireproof needs Linux or macOS; on Windows it runs in WSL.")
