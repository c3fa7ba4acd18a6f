"""How the socket backend lives: event loop, connections, answers on the wire, worker processes."""
