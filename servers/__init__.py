"""wireproof's servers: one upload contract, implemented on raw sockets and on Flask."""
