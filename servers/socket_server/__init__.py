"""How the socket server runs: event loop, connections, responses on the wire, worker processes."""
