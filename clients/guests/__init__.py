"""The matrix: how the parsers of others, the guests, read the same uploads."""
