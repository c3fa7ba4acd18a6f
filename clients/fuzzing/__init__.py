"""Differential fuzzing: generated requests, sent to every backend, and what to do when answers differ."""
