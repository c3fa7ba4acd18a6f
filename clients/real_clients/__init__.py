"""Clients that nobody here wrote: each uploads the same field and files, and what it sends is recorded."""
