"""Clients of other projects: each uploads the same field and files, and what it sends is recorded."""
