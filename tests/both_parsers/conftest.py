"""The hypothesis profile for the tests in this folder, whose tables run on the parsers of both backends."""

from hypothesis import settings

# A single example may be slow on a busy machine.
settings.register_profile("both_parsers", deadline=None, max_examples=200)
settings.load_profile("both_parsers")
