"""wireproof's clients: they show what goes on the wire, and import nothing of `servers`."""
