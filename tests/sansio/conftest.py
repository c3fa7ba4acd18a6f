"""The hypothesis profile for the tests of the parsers."""

from hypothesis import settings

# A single example may be slow on a busy machine. test_linear_cost.py measures CPU time.
settings.register_profile("parsers", deadline=None, max_examples=200)
settings.load_profile("parsers")
