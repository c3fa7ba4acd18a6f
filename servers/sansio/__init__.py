"""Parsers written by hand, from bytes to requests. No socket, no file, no clock and no other parser.

Begin with `stream` (how a parser waits for bytes), then `connection` and `multipart`.
"""
