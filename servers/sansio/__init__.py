"""How bytes become a request, by hand: no socket, no file, no clock, and nobody else's parser."""
