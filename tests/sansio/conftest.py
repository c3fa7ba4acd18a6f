"""How the parsers are tested with generated input."""

from hypothesis import settings

# Of CPU time only test_linear_cost.py speaks: on a busy machine any single example may be slow.
settings.register_profile("parsers", deadline=None, max_examples=200)
settings.load_profile("parsers")
