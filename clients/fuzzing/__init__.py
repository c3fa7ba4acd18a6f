"""Differential fuzzing: generated requests for every backend, shrunk where the responses differ."""
